//! What every database's instrumentation shares, as far as the suite of databases does not show it.
#![cfg(feature = "database")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::KeyValue;
use otelware::database::{Client, DescribeCall, Options, Planned, Server, Shared, View, ViewOf};
use otelware::operation::{Label, Outcome};
use otelware_testing::{Capture, Value};
use std::sync::Arc;

struct Name;

impl View for Name {
    type Of<'a> = &'a str;
}

struct Store {
    options: Options<Name>,
    client: Client,
}

impl Shared for Store {
    type View = Name;

    fn options(&self) -> &Options<Name> {
        &self.options
    }

    fn client(&self) -> &Client {
        &self.client
    }
}

struct Command {
    store: Arc<Store>,
    name: Label,
}

impl DescribeCall for Command {
    type Shared = Store;
    type Source = ();

    const NAME: &'static str = "db.operation.name";

    fn shared(&self) -> &Arc<Store> {
        &self.store
    }

    fn view<'a>(&'a self, (): &'a ()) -> ViewOf<'a, Self> {
        self.name.as_str()
    }

    fn name(&self) -> Option<&Label> {
        Some(&self.name)
    }
}

fn store(capture: &Capture) -> Arc<Store> {
    let mut options = Options::<Name>::default();
    let providers = &mut options.providers;
    providers.set_tracer_provider(capture.tracer_provider());
    providers.set_meter_provider(capture.meter_provider());
    let server = Server {
        system: "store",
        address: None,
        port: None,
        usual_port: 0,
        namespace: None,
    };
    let client = Client::new("library", "1.2.3", &options.providers, &server);
    Arc::new(Store { options, client })
}

fn planned(store: &Arc<Store>, name: Label) -> Planned<Command> {
    let store = store.clone();
    Planned::new(Command { store, name }, &())
}

fn names(capture: &Capture) -> Vec<String> {
    let spans = capture.spans();
    spans.iter().map(|span| span.name.clone()).collect()
}

#[test]
fn a_connection_that_is_wrapped_twice_is_observed_once() {
    let capture = Capture::new();
    let store = store(&capture);
    let get = || planned(&store, Label::new("GET"));
    let mut outer = get().begin(|_, _| {});
    {
        let _entered = outer.enter();
        get().begin(|_, _| {}).finish(&Outcome::Success);
    }
    outer.finish(&Outcome::Success);
    assert_eq!(names(&capture), ["GET"]);
    let durations = capture.metric("db.client.operation.duration");
    assert_eq!(durations.total_count(), 1);
}

#[test]
fn names_that_are_not_kept_are_one_on_metrics() {
    let capture = Capture::new();
    let store = store(&capture);
    for name in ["FIRST", "SECOND"] {
        let name = Label::Owned(name.into());
        planned(&store, name)
            .begin(|_, list| list.push(KeyValue::new("shown", true)))
            .finish(&Outcome::Success);
    }
    assert_eq!(names(&capture), ["FIRST", "SECOND"]);
    let durations = capture.metric("db.client.operation.duration");
    assert_eq!((durations.points.len(), durations.total_count()), (1, 2));
    assert_eq!(
        durations.points[0].attribute("db.operation.name"),
        Some(&Value::from("_OTHER"))
    );
}
