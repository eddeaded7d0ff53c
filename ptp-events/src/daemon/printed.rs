//! Lines as they are, for those who judge the log itself rather than the clocks.

use super::line::Message;
use crate::Port;
use crate::observation::{PortChange, PrintedLine, Servo};

/// What a line says, before anything follows from it.
pub(super) fn printed(message: &Message<'_>) -> PrintedLine {
    match *message {
        Message::Port { interface, from, to, why } => {
            let port = interface.and_then(|name| Port::new(name).ok());
            PrintedLine::Port(PortChange { port, from, to, why })
        }
        // ptp4l and phc2sys sum up what a locked servo measured.
        Message::Summary { mean, .. } => PrintedLine::Offset { offset: mean, servo: Servo::Locked },
        Message::Offset { offset, servo, .. } => PrintedLine::Offset { offset, servo },
        Message::Class(class) => PrintedLine::Class(class),
        Message::Gnss { fix, servo, .. } => PrintedLine::Gnss { fix, servo },
        Message::Dpll { status, .. } => PrintedLine::Dpll(status),
        Message::Status { servo, .. } => PrintedLine::Status(servo),
        Message::Process { up } => PrintedLine::Process { up },
        _ => PrintedLine::Other,
    }
}
