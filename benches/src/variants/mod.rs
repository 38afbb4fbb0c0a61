//! What a router is wrapped in.

mod floor;
#[cfg(feature = "ours")]
mod ours;
mod peer;
mod zero;

use axum::Router;
use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::telemetry::Telemetry;

/// A way to instrument a router, or not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// No layer.
    Bare,
    /// A layer that does nothing: the zero of all differences, for axum's own cost of a layer is nobody's to save.
    Zero,
    /// A straightforward layer by hand over the raw SDK.
    Floor,
    /// `opentelemetry-instrumentation-tower`.
    Peer,
    /// `otelware-tower`.
    #[cfg(feature = "ours")]
    Ours,
    /// `otelware-tower` with late attributes, as `otelware::init` has them where most spans are dropped.
    #[cfg(feature = "ours")]
    Late,
}

impl Variant {
    pub(crate) const ALL: &[Self] = &[
        Self::Bare,
        Self::Zero,
        Self::Floor,
        Self::Peer,
        #[cfg(feature = "ours")]
        Self::Ours,
        #[cfg(feature = "ours")]
        Self::Late,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Zero => "zero",
            Self::Floor => "floor",
            Self::Peer => "peer",
            #[cfg(feature = "ours")]
            Self::Ours => "ours",
            #[cfg(feature = "ours")]
            Self::Late => "late",
        }
    }

    /// Whether requests leave telemetry behind.
    pub(crate) fn is_instrumented(self) -> bool {
        !matches!(self, Self::Bare | Self::Zero)
    }

    /// Wraps the router, and sets the globals that the variant reads.
    pub(crate) fn apply(self, router: Router, telemetry: &Telemetry) -> Router {
        match self {
            Self::Bare => router,
            Self::Zero => router.layer(zero::ZeroLayer),
            Self::Floor => {
                set_globals(telemetry);
                router.layer(floor::FloorLayer::new())
            }
            Self::Peer => {
                set_globals(telemetry);
                router.layer(peer::layer())
            }
            #[cfg(feature = "ours")]
            Self::Ours => router.layer(ours::layer(telemetry)),
            #[cfg(feature = "ours")]
            Self::Late => router.layer(ours::layer(telemetry).with_late_attributes()),
        }
    }
}

fn set_globals(telemetry: &Telemetry) {
    global::set_text_map_propagator(TraceContextPropagator::new());
    telemetry.set_global_providers();
}
