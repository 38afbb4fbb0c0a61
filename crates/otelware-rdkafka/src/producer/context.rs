//! The contexts of observed producers.

use super::delivery::{Sending, begin_living};
use crate::telemetry::Telemetry;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Partitioner, ProducerContext};
use std::borrow::Cow;
use std::ops::Deref;

/// The context of an observed producer: the user's own, which it derefs to, with delivery reports
/// that end the spans of their messages, and statistics that become metrics.
#[derive(Debug)]
pub struct ObservedContext<C> {
    user: C,
    pub(super) telemetry: Telemetry,
    /// Whether the user's context is told the statistics: the default ones would log all of them.
    tells_statistics: bool,
    /// Whether the user's context is told only of messages that were not delivered.
    tells_only_errors: bool,
}

impl<C> ObservedContext<C> {
    pub(super) fn new(user: C, telemetry: Telemetry, config: &ClientConfig) -> Self {
        begin_living();
        Self {
            user,
            telemetry,
            tells_statistics: true,
            tells_only_errors: wants_only_errors(config),
        }
    }

    /// The same for a context that nobody chose, and that does nothing with reports.
    pub(super) fn of_default(user: C, telemetry: Telemetry) -> Self {
        begin_living();
        Self {
            user,
            telemetry,
            tells_statistics: false,
            tells_only_errors: false,
        }
    }
}

/// The option by which librdkafka reports nothing of messages that were delivered.
const ONLY_ERRORS: &str = "delivery.report.only.error";

fn wants_only_errors(config: &ClientConfig) -> bool {
    // As librdkafka reads it.
    let is_true = |value: &str| {
        ["true", "t", "1"]
            .iter()
            .any(|yes| value.eq_ignore_ascii_case(yes))
    };
    config.get(ONLY_ERRORS).is_some_and(is_true)
}

/// The configuration with reports of all messages: a span that is never reported would never end,
/// and what goes with its message would never be freed. The context keeps from its user what that
/// does not want.
pub(super) fn with_all_reports(config: &ClientConfig) -> Cow<'_, ClientConfig> {
    if !wants_only_errors(config) {
        return Cow::Borrowed(config);
    }
    let mut config = config.clone();
    config.remove(ONLY_ERRORS);
    Cow::Owned(config)
}

impl<C> Deref for ObservedContext<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.user
    }
}

impl<C> Drop for ObservedContext<C> {
    fn drop(&mut self) {
        self.telemetry.retire();
    }
}

/// The methods of rdkafka's `ClientContext`, for a type with the user's context of type `$user` in
/// the field `$field`, but for `stats_raw`.
macro_rules! delegated_client_context {
    ($field:tt: $user:ty) => {
        const ENABLE_REFRESH_OAUTH_TOKEN: bool = <$user>::ENABLE_REFRESH_OAUTH_TOKEN;

        fn log(&self, level: rdkafka::config::RDKafkaLogLevel, fac: &str, log_message: &str) {
            self.$field.log(level, fac, log_message);
        }

        fn stats(&self, statistics: rdkafka::Statistics) {
            self.$field.stats(statistics);
        }

        fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
            self.$field.error(error, reason);
        }

        fn generate_oauth_token(
            &self,
            oauthbearer_config: Option<&str>,
        ) -> Result<rdkafka::client::OAuthToken, Box<dyn std::error::Error>> {
            self.$field.generate_oauth_token(oauthbearer_config)
        }
    };
}
pub(super) use delegated_client_context;

impl<C: ClientContext> ClientContext for ObservedContext<C> {
    delegated_client_context!(user: C);

    fn stats_raw(&self, statistics: &[u8]) {
        self.telemetry.record_raw_stats(statistics);
        if self.tells_statistics {
            self.user.stats_raw(statistics);
        }
    }
}

impl<C, Part> ProducerContext<Part> for ObservedContext<C>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    type DeliveryOpaque = Box<Sending<C::DeliveryOpaque>>;

    fn delivery(&self, delivery_result: &DeliveryResult<'_>, sending: Self::DeliveryOpaque) {
        sending.delivered(&self.telemetry, delivery_result, |opaque| {
            if delivery_result.is_err() || !self.tells_only_errors {
                self.user.delivery(delivery_result, opaque);
            }
        });
    }

    fn get_custom_partitioner(&self) -> Option<&Part> {
        self.user.get_custom_partitioner()
    }
}
