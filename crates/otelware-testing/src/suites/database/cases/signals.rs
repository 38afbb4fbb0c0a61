//! Where telemetry goes, and what it must not have.

use std::sync::OnceLock;

use opentelemetry::global;
use tokio::sync::Mutex;

use crate::Capture;
use crate::suites::database::case::Case;
use crate::suites::database::{
    Action, DatabaseUnderTest, ExpectedOperation, SECRET, Setup, assert_operations, assert_spans,
};

/// The capture that the global providers are of, once they are set.
static GLOBAL: OnceLock<Capture> = OnceLock::new();

/// Held by the case that reads it.
static ALONE: Mutex<()> = Mutex::const_new(());

fn global_capture() -> &'static Capture {
    GLOBAL.get_or_init(|| {
        let capture = Capture::new();
        global::set_tracer_provider(capture.tracer_provider());
        global::set_meter_provider(capture.meter_provider());
        capture
    })
}

/// And get nothing where others are given.
pub async fn the_global_providers_are_the_default<D: DatabaseUnderTest>() {
    let _alone = ALONE.lock().await;
    let global = global_capture();
    global.reset();
    let finds = |operations: &[ExpectedOperation], client: &D| {
        let database = client.database();
        assert_spans(global, &database, operations);
        let mut durations = global.metrics();
        durations.retain(|metric| metric.name == "db.client.operation.duration");
        assert_eq!(durations.len(), usize::from(!operations.is_empty()));
        assert_operations(global, &database, operations);
    };

    let given = Case::<D>::new().await;
    given.run(Action::Read).await;
    given.finds(&[given.expected(Action::Read)]).await;
    finds(&[], &given.client);

    let client = D::connect(&Setup::global()).await;
    client.run(Action::Read).await.unwrap();
    client.run(Action::Fail).await.unwrap_err();
    let expected = [Action::Read, Action::Fail].map(|action| client.expected(action));
    finds(&expected, &client);
    given.finds(&[given.expected(Action::Read)]).await;
}

/// Of what is bound, written into texts and told in messages, in none of the signals.
pub async fn no_secret_is_told<D: DatabaseUnderTest>() {
    for exceptions in [false, true] {
        let case = Case::<D>::with(|setup| setup.exceptions = exceptions).await;
        let actions = [Action::CarrySecret, Action::FailWithSecret];
        for action in actions {
            case.run(action).await;
        }
        if exceptions {
            assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
            let operations = actions.map(|action| case.expected(action));
            assert_spans(&case.telemetry, &case.database(), &operations);
        } else {
            case.finds(&actions.map(|action| case.expected(action)))
                .await;
        }
        case.telemetry.assert_never_contains(SECRET);
    }
}
