//! The server on standard input and output, for a client on the same machine.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, ClientNotification, Implementation, InitializeRequestParams,
    JsonRpcMessage, ProtocolVersion, RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_directly};
use rmcp::transport::{Transport, async_rw::AsyncRwTransport, stdio};
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::server::Server;

/// Serves until standard input ends. Requests that come without a handshake are answered too, so that a line
/// from a shell is enough.
///
/// # Errors
/// When the server's task fails.
pub async fn serve_stdio(context: Arc<Context>) -> Result<(), JoinError> {
    let client = Implementation::new("unknown", "0");
    let mut peer = InitializeRequestParams::new(ClientCapabilities::default(), client);
    // Who says nothing speaks the newest revision with a handshake.
    peer.protocol_version = ProtocolVersion::V_2025_11_25;
    let end = context.shutdown.clone();
    let (input, output) = stdio();
    let transport = Drained::new(AsyncRwTransport::new_server(input, output), end);
    serve_directly(Server::new(context), transport, Some(peer)).waiting().await.map(drop)
}

/// A transport whose end waits until every request that came has its answer.
struct Drained<T> {
    inner: T,
    open: Arc<watch::Sender<HashSet<RequestId>>>,
    /// Cancelled when the input ends, which ends the streams that would go on for ever.
    end: CancellationToken,
    ended: bool,
}

impl<T> Drained<T> {
    fn new(inner: T, end: CancellationToken) -> Self {
        Self { inner, open: Arc::new(watch::Sender::new(HashSet::new())), end, ended: false }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Drained<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let sending = self.inner.send(item);
        let open = Arc::clone(&self.open);
        async move {
            let outcome = sending.await;
            if let Some(id) = answered {
                open.send_modify(|open| {
                    open.remove(&id);
                });
            }
            outcome
        }
    }

    /// May be dropped and called again: nothing is kept but in `self`.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        if !self.ended {
            if let Some(message) = self.inner.receive().await {
                self.note(&message);
                return Some(message);
            }
            self.ended = true;
            self.end.cancel();
        }
        let _ = self.open.subscribe().wait_for(HashSet::is_empty).await;
        None
    }

    fn close(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        self.inner.close()
    }
}

impl<T> Drained<T> {
    fn note(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) => self.open.send_modify(|open| {
                open.insert(request.id.clone());
            }),
            // What was cancelled gets no answer.
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.open.send_modify(|open| {
                        open.remove(id);
                    });
                }
            }
            _ => {}
        }
    }
}
