//! Masks of the ITU-T for clocks in locked mode, and how figures compare with them.
//!
//! Class D of G.8273.2 (`max|TE_L|`) and the fast part of dTE need a filter at 0.1 Hz: they are compared where
//! samples come once a second or faster, and MTIE and TDEV are then those of `dTE_L`.

use ptp_events::Resource;
use serde::{Deserialize, Serialize};

use crate::text::Text;

use super::figures::{Figures, rounded};
use crate::Role;

/// Which figure a mask limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Figure {
    /// The greatest time error.
    #[serde(rename = "max|TE|")]
    MaxTe,
    /// The same after the low-pass filter.
    #[serde(rename = "max|TE_L|")]
    MaxTeL,
    /// The fast part of the dynamic time error, from peak to peak.
    #[serde(rename = "dTE_H")]
    DteH,
    /// The constant time error.
    #[serde(rename = "cTE")]
    Cte,
    /// The maximum time interval error.
    #[serde(rename = "MTIE")]
    Mtie,
    /// The time deviation.
    #[serde(rename = "TDEV")]
    Tdev,
}

impl Figure {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxTe => "max|TE|",
            Self::MaxTeL => "max|TE_L|",
            Self::DteH => "dTE_H",
            Self::Cte => "cTE",
            Self::Mtie => "MTIE",
            Self::Tdev => "TDEV",
        }
    }
}

/// How a figure compares with a mask, where it comes nearest to it or is furthest beyond it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MaskReport {
    /// The Recommendation, and its clause.
    pub standard: Text,
    /// The class of clock that the mask is for.
    pub class: Text,
    /// What it limits.
    pub figure: Figure,
    /// The observation interval, in seconds; `null` for figures that have none.
    pub tau_s: Option<f64>,
    /// The figure's magnitude there, in nanoseconds.
    pub measured_ns: f64,
    /// The limit there, in nanoseconds.
    pub limit_ns: f64,
    /// Whether the figure keeps to the limit everywhere it could be compared.
    pub within: bool,
}

/// A limit up to some observation interval: `base_ns + per_s * τ`.
struct Piece {
    until_s: f64,
    base_ns: f64,
    per_s: f64,
}

const fn piece(until_s: f64, base_ns: f64, per_s: f64) -> Piece {
    Piece { until_s, base_ns, per_s }
}

const fn flat(limit_ns: f64) -> Piece {
    piece(f64::INFINITY, limit_ns, 0.0)
}

struct Mask {
    standard: &'static str,
    class: &'static str,
    figure: Figure,
    pieces: &'static [Piece],
}

const fn mask(
    standard: &'static str,
    class: &'static str,
    figure: Figure,
    pieces: &'static [Piece],
) -> Mask {
    Mask { standard, class, figure, pieces }
}

/// A primary reference time clock, and a grandmaster with one in it: ITU-T G.8272, 6.1 (time
/// error) and 6.2 (wander: MTIE (0.275·τ + 25) ns up to where it is as wide as max|TE|; TDEV up to
/// 10,000 s). The wider class comes first.
const GRANDMASTER: &[Mask] = &[
    mask("G.8272 6.1", "PRTC-A", Figure::MaxTe, &[flat(100.0)]),
    mask("G.8272 6.2", "PRTC-A", Figure::Mtie, &[piece(273.0, 25.0, 0.275), flat(100.0)]),
    mask(
        "G.8272 6.2",
        "PRTC-A",
        Figure::Tdev,
        &[piece(100.0, 3.0, 0.0), piece(1000.0, 0.0, 0.03), piece(10_000.0, 30.0, 0.0)],
    ),
    mask("G.8272 6.1", "PRTC-B", Figure::MaxTe, &[flat(40.0)]),
    mask("G.8272 6.2", "PRTC-B", Figure::Mtie, &[piece(54.5, 25.0, 0.275), flat(40.0)]),
    mask(
        "G.8272 6.2",
        "PRTC-B",
        Figure::Tdev,
        &[piece(100.0, 1.0, 0.0), piece(500.0, 0.0, 0.01), piece(10_000.0, 5.0, 0.0)],
    ),
    // An enhanced one: ITU-T G.8272.1, 6.1.
    mask("G.8272.1 6.1", "ePRTC", Figure::MaxTe, &[flat(30.0)]),
];

/// Boundary and slave clocks: ITU-T G.8273.2, 7.1 (T-BC; annex C applies the same to a T-TSC):
/// max|TE|, cTE, `dTE_L` at constant temperature as MTIE and TDEV (tables 7-4 and 7-5) up to 1000 s, `dTE_H`
/// from peak to peak, and `max|TE_L|` of class D. The mean does not enter MTIE and TDEV, so those of dTE are
/// those of TE. The wider class comes first.
const FOLLOWER: &[Mask] = &[
    mask("G.8273.2 7.1", "class A", Figure::MaxTe, &[flat(100.0)]),
    mask("G.8273.2 7.1", "class A", Figure::Cte, &[flat(50.0)]),
    mask("G.8273.2 7.1", "class A", Figure::Mtie, &[piece(1000.0, 40.0, 0.0)]),
    mask("G.8273.2 7.1", "class A", Figure::Tdev, &[piece(1000.0, 4.0, 0.0)]),
    mask("G.8273.2 7.1", "class A", Figure::DteH, &[flat(70.0)]),
    mask("G.8273.2 7.1", "class B", Figure::MaxTe, &[flat(70.0)]),
    mask("G.8273.2 7.1", "class B", Figure::Cte, &[flat(20.0)]),
    mask("G.8273.2 7.1", "class B", Figure::Mtie, &[piece(1000.0, 40.0, 0.0)]),
    mask("G.8273.2 7.1", "class B", Figure::Tdev, &[piece(1000.0, 4.0, 0.0)]),
    mask("G.8273.2 7.1", "class B", Figure::DteH, &[flat(70.0)]),
    mask("G.8273.2 7.1", "class C", Figure::MaxTe, &[flat(30.0)]),
    mask("G.8273.2 7.1", "class C", Figure::Cte, &[flat(10.0)]),
    mask("G.8273.2 7.1", "class C", Figure::Mtie, &[piece(1000.0, 10.0, 0.0)]),
    mask("G.8273.2 7.1", "class C", Figure::Tdev, &[piece(1000.0, 2.0, 0.0)]),
    mask("G.8273.2 7.1", "class C", Figure::DteH, &[flat(30.0)]),
    mask("G.8273.2 7.1", "class D", Figure::MaxTeL, &[flat(5.0)]),
];

impl MaskReport {
    /// The limit at an observation interval, in nanoseconds, for a plot of the mask; `None` where it has none,
    /// and of a mask that this version does not know.
    #[must_use]
    pub fn limit_at(&self, tau_s: f64) -> Option<f64> {
        let is_it = |mask: &&Mask| {
            mask.standard == self.standard && mask.class == self.class && mask.figure == self.figure
        };
        GRANDMASTER.iter().chain(FOLLOWER).find(is_it)?.limit_at(tau_s)
    }
}

/// Compares a clock's figures with the masks for its kind; there are none for system clocks.
pub(super) fn compare(resource: &Resource, role: Role, figures: &Figures) -> Vec<MaskReport> {
    let masks = match (resource, role) {
        (Resource::LockState, Role::Grandmaster) => GRANDMASTER,
        (Resource::LockState, _) => FOLLOWER,
        _ => &[],
    };
    masks.iter().filter_map(|mask| mask.compare(figures)).collect()
}

impl Mask {
    /// `None` when no point of the figures is in the mask's range.
    fn compare(&self, figures: &Figures) -> Option<MaskReport> {
        let point = |tau_s: Option<f64>, measured: f64| {
            let limit_ns = self.limit_at(tau_s.unwrap_or(0.0))?;
            Some(MaskReport {
                standard: self.standard.into(),
                class: self.class.into(),
                figure: self.figure,
                tau_s,
                measured_ns: rounded(measured.abs()),
                limit_ns: rounded(limit_ns),
                within: measured.abs() <= limit_ns,
            })
        };
        let nearest = |a: &MaskReport, b: &MaskReport| {
            (a.measured_ns / a.limit_ns).total_cmp(&(b.measured_ns / b.limit_ns))
        };
        // Only G.8273.2 measures through that filter.
        let filtered = figures.filtered.as_ref().filter(|_| self.standard.starts_with("G.8273.2"));
        let curve = filtered.map_or(&figures.curve, |filtered| &filtered.curve).iter();
        match self.figure {
            Figure::MaxTeL => point(None, filtered?.max_te_l_ns),
            Figure::DteH => point(None, filtered?.dte_h_ns),
            Figure::MaxTe => point(None, figures.max_te_ns as f64),
            Figure::Cte => point(None, figures.cte_ns),
            Figure::Mtie => {
                curve.filter_map(|p| point(Some(p.tau_s), p.mtie_ns as f64)).max_by(nearest)
            }
            Figure::Tdev => curve.filter_map(|p| point(Some(p.tau_s), p.tdev_ns)).max_by(nearest),
        }
    }

    fn limit_at(&self, tau_s: f64) -> Option<f64> {
        let piece = self.pieces.iter().find(|piece| tau_s <= piece.until_s)?;
        Some(piece.base_ns + piece.per_s * tau_s)
    }
}
