//! The collector.

use std::thread;
use std::time::Duration;

use otelware_testing::Proxy;
use otelware_testing::otlp::OtlpReceiver;

use super::{UnderLoad, assert_small, problems};
use crate::metrics::LastSums;
use crate::printed;
use crate::shop::{SERVICES, Shop};

/// The collector goes away, and hangs: nobody but those who read telemetry can tell, and they are told.
#[test]
fn the_collector_goes_away_and_comes_back() {
    let receiver = OtlpReceiver::grpc();
    let collector = Proxy::to(receiver.address());
    let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")];
    let load = UnderLoad::begin(receiver, collector.address(), &variables);
    let memory = load.shop.memory();
    let outages: [(&str, &dyn Fn()); 2] = [
        ("the collector was away", &|| collector.cut()),
        ("it hung", &|| collector.silence()),
    ];
    for (what, cut) in outages {
        let before = lost_exports(&load.shop);
        cut();
        load.shop
            .program
            .wait_for("services that say that spans are lost", || {
                thread::sleep(Duration::from_millis(50));
                let now = lost_exports(&load.shop);
                let more = now.iter().zip(&before).all(|(now, before)| now > before);
                more.then_some(())
            });
        collector.restore();
        load.wait_until_all_is_well(what);
    }
    let memory_at_end = load.shop.memory();
    let (ended, receiver) = load.stop();

    // What was lost is told, and no more was lost than that.
    let received = receiver.look(|received| received.spans().len());
    let account = printed::accounts(&ended.stdout)["all"];
    eprintln!("{account:?}, received: {received}");
    assert!(account.failed > 0, "{account:?}");
    assert_eq!(account.dropped, 0);
    assert!((account.exported..=account.exported + account.failed).contains(&received));
    assert_eq!(ended.status.code(), Some(1));
    let others: Vec<&str> = problems(&ended.stdout)
        .filter(|line| !line.contains(" lost "))
        .collect();
    assert_eq!(others, [""; 0]);

    // Metrics count all of it, whatever was lost on the way.
    let sums = receiver.look(LastSums::of);
    sums.assert_nothing_in_flight();
    let orders = |outcome| sums.count("shop.orders", &format!("shop.order.outcome={outcome}"));
    let notifications = |outcome| {
        sums.count(
            "shop.notifications",
            &format!("shop.notification.outcome={outcome}"),
        )
    };
    assert_eq!(orders("unavailable") + orders("delayed"), 0.0);
    assert_eq!(
        notifications("sent") + notifications("undeliverable"),
        orders("placed")
    );
    assert_small(&memory, &memory_at_end);
}

/// How often each service has said that spans could not be exported.
fn lost_exports(shop: &Shop) -> [usize; SERVICES.len()] {
    let said = shop.program.stderr();
    let lost = |service| {
        let lines = said.lines().map(str::trim_start);
        let of_service = lines.filter(|line| line.starts_with(service));
        of_service
            .filter(|line| line.contains("BatchSpanProcessor.ExportError"))
            .count()
    };
    SERVICES.map(lost)
}
