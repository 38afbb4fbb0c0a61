//! How processing ends.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use futures_util::FutureExt as _;
use futures_util::future::{join_all, pending};
use opentelemetry::logs::Severity;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use crate::expect_log;
use crate::suites::messaging::case::Case;
use crate::suites::messaging::{
    Cancellation, ExpectedOperation, Message, MessagingUnderTest, OutOfStock,
};

/// All ways to treat what is dropped.
pub(super) const CANCELLATIONS: [Cancellation; 3] = [
    Cancellation::Ignore,
    Cancellation::Mark,
    Cancellation::Error,
];

fn message() -> Message {
    Message::new("3 pens")
}

/// By a future, a closure, and a guard that is told of its end.
pub async fn a_message_is_processed_in_each_way<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut operations = Vec::new();
    for way in 0..3 {
        let received = case.unseen(&message()).await;
        assert_eq!(M::content(&received), message());
        match way {
            0 => case.process(&received, Ok(())).await,
            1 => assert_eq!(case.client.process_sync(&received, || Ok(())), Ok(())),
            _ => M::finish(case.client.start_process(&received)),
        }
        operations.extend([case.consumed(&received), case.processed(&received)]);
    }
    case.finds(&operations);
}

/// In each of its parts, and not outside of them. What it sets is on its span.
pub async fn the_context_is_current_while_a_message_is_processed<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let current = || Context::current().span().span_context().span_id();
    let outside = current();
    let received = case.unseen(&message()).await;
    let mut inside = Vec::new();
    let mut processing = case.client.start_process(&received);
    let own = M::context(&processing).span().span_context().span_id();
    M::in_scope(&mut processing, || inside.push(current()));
    assert_eq!(current(), outside);
    M::within(&mut processing, async {
        inside.push(current());
        tokio::task::yield_now().await;
        inside.push(current());
    })
    .await;
    assert_eq!((current(), inside), (outside, vec![own; 3]));
    M::set_attribute(&processing, KeyValue::new("shop.item", "pen"));
    M::finish(processing);
    let mut operations = vec![
        case.consumed(&received),
        case.processed(&received).at_end("shop.item", "pen"),
    ];

    // Each time a future is polled, and in closures.
    let mut inside = Vec::new();
    let received = case.unseen(&message()).await;
    let work = async {
        inside.push(current());
        tokio::task::yield_now().await;
        inside.push(current());
        Ok(())
    };
    case.client
        .process(&received, work)
        .await
        .expect("a result");
    operations.extend([case.consumed(&received), case.processed(&received)]);
    let received = case.unseen(&message()).await;
    let sync = case.client.process_sync(&received, || {
        inside.push(current());
        Ok(())
    });
    assert_eq!((sync, current()), (Ok(()), outside));
    operations.extend([case.consumed(&received), case.processed(&received)]);
    case.finds(&operations);
    let spans = case.telemetry.spans();
    assert_eq!(
        inside,
        [spans[1].span_id, spans[1].span_id, spans[2].span_id]
    );
}

/// The class is the name of the error's type, or what a guard is told.
pub async fn processing_fails<M: MessagingUnderTest>() {
    for error_messages in [false, true] {
        let case = Case::<M>::told(|options| options.error_messages = error_messages).await;
        let mut operations = Vec::new();
        for way in 0..3 {
            let received = case.unseen(&message()).await;
            let class = match way {
                0 => {
                    case.process(&received, Err(OutOfStock)).await;
                    "OutOfStock"
                }
                1 => {
                    let result = case.client.process_sync(&received, || Err(OutOfStock));
                    assert_eq!(result, Err(OutOfStock));
                    "OutOfStock"
                }
                _ => {
                    M::fail(case.client.start_process(&received), "sold_out");
                    "sold_out"
                }
            };
            let failed = case.processed(&received).fails(class);
            operations.extend([case.consumed(&received), failed]);
        }
        case.finds(&operations);
    }
}

/// The panic goes on.
pub async fn processing_panics<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut operations = Vec::new();
    for way in 0..3 {
        let received = case.unseen(&message()).await;
        let panicked = match way {
            0 => {
                let work = async { panic!("as expected") };
                let processing = case.client.process(&received, work);
                AssertUnwindSafe(processing).catch_unwind().await.is_err()
            }
            1 => {
                let processing = || {
                    case.client
                        .process_sync(&received, || panic!("as expected"))
                };
                catch_unwind(AssertUnwindSafe(processing)).is_err()
            }
            _ => {
                let processing = || {
                    let mut processing = case.client.start_process(&received);
                    M::in_scope(&mut processing, || panic!("as expected"));
                };
                catch_unwind(AssertUnwindSafe(processing)).is_err()
            }
        };
        assert!(panicked, "the panic must go on");
        let failed = case.processed(&received).fails("panic");
        operations.extend([case.consumed(&received), failed]);
    }
    case.finds(&operations);
}

/// What becomes of it is an option; by default it is marked.
pub async fn processing_is_dropped<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let operations = drop_two(&case, Cancellation::Mark).await;
    case.finds(&operations);
    for cancellation in CANCELLATIONS {
        let case = Case::<M>::told(|options| options.cancellation = Some(cancellation)).await;
        let operations = drop_two(&case, cancellation).await;
        case.finds(&operations);
    }
}

/// Drops a future that was polled, and a guard.
async fn drop_two<M: MessagingUnderTest>(
    case: &Case<M>,
    cancellation: Cancellation,
) -> Vec<ExpectedOperation> {
    let mut operations = Vec::new();
    for is_future in [true, false] {
        let received = case.unseen(&message()).await;
        if is_future {
            let mut processing = pin!(case.client.process(&received, pending()));
            assert!((&mut processing).now_or_never().is_none());
        } else {
            drop(case.client.start_process(&received));
        }
        let dropped = case.processed(&received).dropped(cancellation);
        operations.extend([case.consumed(&received), dropped]);
    }
    operations
}

/// Each message, whatever becomes of it.
pub async fn messages_are_counted_once<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut operations = Vec::new();
    for _ in 0..3 {
        case.client.send_unseen(&message()).await;
    }
    for result in [Ok(()), Err(OutOfStock), Ok(())] {
        let received = case.receive().await;
        case.process(&received, result).await;
        let processed = case.processed(&received);
        operations.extend([
            case.consumed(&received),
            match result {
                Ok(()) => processed,
                Err(OutOfStock) => processed.fails("OutOfStock"),
            },
        ]);
    }
    case.finds(&operations);
}

/// Each in its own context.
pub async fn messages_are_processed_side_by_side<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut received = Vec::new();
    for _ in 0..8 {
        received.push(case.unseen(&message()).await);
    }
    let all = join_all(received.iter().map(|message| async {
        let own = std::sync::Mutex::new(Vec::new());
        let see = || {
            let id = Context::current().span().span_context().span_id();
            own.lock().expect("no panic").push(id);
        };
        let work = async {
            for _ in 0..4 {
                see();
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        case.client.process(message, work).await.expect("a result");
        own.into_inner().expect("no panic")
    }))
    .await;
    let mut own = BTreeSet::new();
    for seen in all {
        assert_eq!(seen, [seen[0]; 4]);
        own.insert(seen[0].to_bytes());
    }
    let spans = case.telemetry.spans();
    let spans: BTreeSet<_> = spans.iter().map(|span| span.span_id.to_bytes()).collect();
    assert_eq!(own, spans);
    assert_eq!(own.len(), 8);
    let operations: Vec<_> = received
        .iter()
        .flat_map(|message| [case.consumed(message), case.processed(message)])
        .collect();
    case.finds(&operations);
}

/// Of severity `ERROR`, within the span.
pub async fn a_failure_is_an_event_where_a_logger_provider_is_given<M: MessagingUnderTest>() {
    const EXCEPTION: &str = "messaging.process.exception";
    let case = Case::<M>::with(|setup| setup.exceptions = true).await;
    let received = case.unseen(&message()).await;
    case.process(&received, Ok(())).await;
    let received = case.unseen(&message()).await;
    case.process(&received, Err(OutOfStock)).await;
    let broker = case.broker();
    let (scope, version, schema_url) = broker.scope();
    let span = case.telemetry.spans().pop().expect("a span that failed");
    let event = expect_log(Severity::Error)
        .event_name(EXCEPTION)
        .attribute("exception.type", "OutOfStock")
        .in_span(&span)
        .scope(scope, version, schema_url);
    assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
    case.telemetry.event(EXCEPTION).assert(event);
}
