//! What the family's own instrumentations need not write down one by one.

/// The options of a crate of otelware, told what the suite wants. `$otelware` is the path of the core.
///
/// ```ignore
/// let options = messaging_options!(AmqpOptions::new(), setup, otelware_lapin::otelware);
/// ```
#[macro_export]
macro_rules! messaging_options {
    ($options:expr, $setup:expr, $($otelware:ident)::+) => {{
        use $($otelware)::+ as core;
        use $crate::suites::messaging as suite;
        let setup: &suite::Setup = $setup;
        let told = setup.options.clone();
        let mut options = $options;
        if let Some(telemetry) = &setup.telemetry {
            options = options
                .with_tracer_provider(telemetry.tracer_provider())
                .with_meter_provider(telemetry.meter_provider());
            if setup.exceptions {
                options = options.with_logger_provider(telemetry.logger_provider());
            }
        }
        if let Some(propagator) = setup.propagator.clone() {
            options = options.with_propagator(propagator);
        }
        fn view<'a>(message: core::messaging::MessageView<'a>) -> suite::View<'a> {
            suite::View {
                operation: message.operation,
                destination: message.destination,
                headers: message.headers,
            }
        }
        if let Some(filter) = told.filter {
            options = options.with_filter(move |message| match filter.ask(view(message)) {
                suite::Signals::None => core::operation::Signals::NONE,
                suite::Signals::Traces => core::operation::Signals::TRACES,
                suite::Signals::Metrics => core::operation::Signals::METRICS,
                suite::Signals::All => core::operation::Signals::ALL,
            });
        }
        if let Some(hook) = told.span_attributes {
            options = options.with_span_attributes(move |message| hook.ask(view(message)));
        }
        if let Some(hook) = told.metric_attributes {
            options = options.with_metric_attributes(move |message| hook.ask(view(message)));
        }
        if let Some(cancellation) = told.cancellation {
            options = options.with_cancellation(match cancellation {
                suite::Cancellation::Ignore => core::operation::Cancellation::Ignore,
                suite::Cancellation::Mark => core::operation::Cancellation::Mark,
                suite::Cancellation::Error => core::operation::Cancellation::Error,
            });
        }
        if let Some(parenting) = told.parenting {
            options = options.with_parenting(match parenting {
                suite::Parenting::Auto => core::messaging::Parenting::Auto,
                suite::Parenting::Link => core::messaging::Parenting::Link,
                suite::Parenting::Parent => core::messaging::Parenting::Parent,
            });
        }
        if let Some(outbound) = told.outbound {
            options = options.with_outbound(match outbound {
                suite::Outbound::Everything => core::propagation::Outbound::Everything,
                suite::Outbound::TraceContextOnly => core::propagation::Outbound::TraceContextOnly,
                suite::Outbound::Nothing => core::propagation::Outbound::Nothing,
            });
        }
        if told.public {
            options = options.with_trust(core::propagation::Trust::Public);
        }
        if told.preserve_context {
            options = options.with_existing_context(core::messaging::ExistingContext::Preserve);
        }
        if let Some(template) = told.template {
            options = options.with_destination_template(move |_| Some(template.to_owned()));
        }
        if told.body_sizes {
            options = options.with_body_sizes();
        }
        if told.without_settle_spans {
            options = options.without_settle_spans();
        }
        if told.error_messages {
            options = options.with_error_messages();
        }
        if told.late_attributes {
            options = options.with_late_attributes();
        }
        if !told.captured_headers.is_empty() {
            options = options.with_captured_headers(told.captured_headers);
        }
        options
    }};
}

/// What [`MessagingUnderTest`](crate::suites::messaging::MessagingUnderTest) wants of processing that
/// was begun, for the core's; stands in the implementation. `$otelware` is the path of the core.
#[macro_export]
macro_rules! messaging_processing {
    ($($otelware:ident)::+) => {
        type Processing = $($otelware)::+::messaging::Processing;

        fn context(processing: &Self::Processing) -> $crate::opentelemetry::Context {
            processing.context().clone()
        }

        fn set_attribute(
            processing: &Self::Processing,
            attribute: $crate::opentelemetry::KeyValue,
        ) {
            processing.set_attribute(attribute);
        }

        fn in_scope(processing: &mut Self::Processing, part: impl FnOnce()) {
            processing.in_scope(part);
        }

        async fn within(
            processing: &mut Self::Processing,
            part: impl Future<Output = ()> + Send,
        ) {
            processing.within(part).await;
        }

        fn finish(processing: Self::Processing) {
            processing.finish();
        }

        fn fail(processing: Self::Processing, class: &'static str) {
            processing.fail(class);
        }
    };
}
