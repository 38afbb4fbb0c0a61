//! A post office in this process: what is sent is received, in that order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use opentelemetry::context::FutureExt;
use opentelemetry::trace::{Link, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use otelware_testing::suites::messaging::{
    Broker, Class, ExpectedOperation, Message, MessagingUnderTest, OutOfStock, Setup,
};
use otelware_testing::{Attributes, Scope, attributes};
use tokio::sync::Notify;

use crate::faults::*;
use crate::headers::Headers;
use crate::instrumentation::{DESTINATION, Instrumentation, OFFSET, SCOPE, SYSTEM, Start};
use crate::running::Running;

/// One that has this fault.
pub struct Post<const FAULT: usize> {
    by: Arc<Instrumentation>,
    letters: Mutex<VecDeque<Letter>>,
    arrived: Notify,
    next: Mutex<i64>,
}

#[derive(Clone)]
pub struct Letter {
    headers: Headers,
    body: String,
    offset: i64,
}

impl<const FAULT: usize> Post<FAULT> {
    fn put(&self, headers: Headers, body: &str) -> i64 {
        let offset = {
            let mut next = self.next.lock().unwrap();
            *next += 1;
            *next
        };
        let body = body.to_owned();
        self.letters.lock().unwrap().push_back(Letter {
            headers,
            body,
            offset,
        });
        self.arrived.notify_one();
        offset
    }

    fn start_send(&self, message: &Message) -> (Running, Headers) {
        let mut headers = own(message);
        let had = self.by.sender(&headers);
        let keeps_context =
            had.is_some() && self.by.options.preserve_context && !self.by.has(PRESERVE_IGNORED);
        let mut start = Start::new(Class::Send, "send");
        start.links = had.map(Link::with_context).into_iter().collect();
        let running = {
            let given = headers.clone();
            self.by.start(
                &Start {
                    headers: Some(&given),
                    body: Some(&message.body),
                    keeps_context,
                    ..start
                },
                &[],
            )
        };
        if !keeps_context {
            self.by.inject(&running, &mut headers);
        }
        (running, headers)
    }
}

fn own(message: &Message) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in &message.headers {
        headers.add(name, value);
    }
    headers
}

impl<const FAULT: usize> MessagingUnderTest for Post<FAULT> {
    type Sent = i64;
    type Message = Letter;
    type Processing = Running;

    async fn connect(setup: &Setup) -> Self {
        Self {
            by: Instrumentation::new(setup, FAULT),
            letters: Mutex::default(),
            arrived: Notify::new(),
            next: Mutex::default(),
        }
    }

    fn broker(&self) -> Broker {
        Broker {
            scope: Scope::new(SCOPE.0, SCOPE.1, SCOPE.2),
            system: SYSTEM,
            address: Some("127.0.0.1".to_owned()),
            port: None,
        }
    }

    async fn send(&self, message: &Message) -> i64 {
        let (mut running, headers) = self.start_send(message);
        tokio::task::yield_now().await;
        let offset = self.put(headers, &message.body);
        running.set_attribute(KeyValue::new(OFFSET, offset));
        running.succeed();
        offset
    }

    fn expected_send(&self, offset: &i64) -> ExpectedOperation {
        ExpectedOperation::new(Class::Send, "send", DESTINATION).at_end(OFFSET, *offset)
    }

    async fn send_in_vain(&self, message: &Message) -> String {
        let (mut running, _) = self.start_send(message);
        let text = format!("{:?} has no stamp", message.body);
        running.fail("no_stamp", &text);
        text
    }

    fn expected_send_in_vain(&self) -> ExpectedOperation {
        ExpectedOperation::new(Class::Send, "send", DESTINATION).fails("no_stamp")
    }

    async fn send_unseen(&self, message: &Message) {
        self.put(own(message), &message.body);
    }

    async fn send_foreign(&self) -> usize {
        let odd = [None, Some(vec![0xff, 0xfe]), Some(Vec::new())];
        let count = odd.len();
        for value in odd {
            let headers = ["traceparent", "tracestate", "baggage"]
                .map(|name| (name.to_owned(), value.clone()));
            self.put(Headers(headers.into()), "3 pens");
        }
        count
    }

    async fn receive(&self) -> Letter {
        loop {
            let letter = self.letters.lock().unwrap().pop_front();
            if let Some(letter) = letter {
                self.by.consume("receive", &letter.headers);
                return letter;
            }
            self.arrived.notified().await;
        }
    }

    fn expected_consume(&self, _letter: &Letter) -> ExpectedOperation {
        ExpectedOperation::new(Class::Consume, "receive", DESTINATION)
    }

    fn content(letter: &Letter) -> Message {
        let mut headers = letter.headers.texts();
        headers.sort();
        Message {
            headers,
            ..Message::new(&letter.body)
        }
    }

    async fn process(
        &self,
        letter: &Letter,
        work: impl Future<Output = Result<(), OutOfStock>> + Send,
    ) -> Result<(), OutOfStock> {
        let mut processing = self.start_process(letter);
        let context = match self.by.has(NOT_CURRENT) {
            true => Context::current(),
            false => processing.context.clone(),
        };
        let result = work.with_context(context).await;
        match &result {
            Ok(()) => processing.succeed(),
            Err(error) => processing.fail("OutOfStock", &texts(&self.by, error)),
        }
        result
    }

    fn process_sync(
        &self,
        letter: &Letter,
        work: impl FnOnce() -> Result<(), OutOfStock>,
    ) -> Result<(), OutOfStock> {
        let mut processing = self.start_process(letter);
        let result = {
            let _entered = processing.context.clone().attach();
            work()
        };
        match &result {
            Ok(()) => processing.succeed(),
            Err(error) => processing.fail("OutOfStock", &texts(&self.by, error)),
        }
        result
    }

    fn start_process(&self, letter: &Letter) -> Running {
        let (parent, links) = self.by.parents(&letter.headers);
        let start = Start {
            headers: Some(&letter.headers),
            body: Some(&letter.body),
            parent,
            links,
            ..Start::new(Class::Process, "process")
        };
        self.by
            .start(&start, &[KeyValue::new(OFFSET, letter.offset)])
    }

    fn expected_process(&self, letter: &Letter) -> ExpectedOperation {
        ExpectedOperation::new(Class::Process, "process", DESTINATION)
            .on_span(OFFSET, letter.offset)
    }

    fn start_batch(&self, letters: &[Letter]) -> Running {
        let all = letters.iter();
        let all = all.map(|letter| (&letter.headers, letter.offset));
        let (links, left_out) = self.by.links(all);
        let mut start = Start {
            links,
            messages: letters.len().try_into().unwrap(),
            is_batch: true,
            ..Start::new(Class::Process, "process")
        };
        if self.by.has(BATCH_IS_CHILD) {
            let sender = self.by.sender(&letters[0].headers).unwrap();
            start.parent = Context::new().with_remote_span_context(sender);
        }
        let further = (left_out > 0 && !self.by.has(UNLINKED_NOT_TOLD))
            .then(|| KeyValue::new("otelware.messaging.unlinked_messages", left_out));
        self.by.start(&start, further.as_slice())
    }

    fn expected_batch(&self, letters: &[Letter]) -> ExpectedOperation {
        ExpectedOperation::new(Class::Process, "process", DESTINATION)
            .batch(letters.len().try_into().unwrap())
    }

    fn link_attributes(letter: &Letter) -> Attributes {
        attributes! { OFFSET => letter.offset }
    }

    async fn settle(&self, _letter: &Letter) {
        let start = Start::new(Class::Settle, "ack");
        self.by.start(&start, &[]).succeed();
    }

    fn expected_settle(&self, _letter: &Letter) -> ExpectedOperation {
        ExpectedOperation::new(Class::Settle, "ack", DESTINATION)
    }

    fn context(processing: &Running) -> Context {
        processing.context.clone()
    }

    fn set_attribute(processing: &Running, attribute: KeyValue) {
        processing.set_attribute(attribute);
    }

    fn in_scope(processing: &mut Running, part: impl FnOnce()) {
        let _entered = processing.context.clone().attach();
        part();
    }

    async fn within(processing: &mut Running, part: impl Future<Output = ()> + Send) {
        part.with_context(processing.context.clone()).await;
    }

    fn finish(mut processing: Running) {
        processing.succeed();
    }

    fn fail(mut processing: Running, class: &'static str) {
        processing.fail(class, "");
    }
}

/// What is told of an error of processing.
fn texts(by: &Instrumentation, error: &OutOfStock) -> String {
    match by.has(FAILURES_TOLD) {
        true => error.to_string(),
        false => String::new(),
    }
}
