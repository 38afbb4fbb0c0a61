//! When a service is to stop.

use std::io::{copy, sink, stdin};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a service may take to end what is under way.
const LIMIT: Duration = Duration::from_secs(15);

/// A token that is cancelled by SIGTERM and Ctrl-C; with `STOP_WITH_STDIN` by the end of the standard
/// input in the place of Ctrl-C, which a terminal sends to the program that started the service, too.
pub(super) fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let by_input = std::env::var_os("STOP_WITH_STDIN").is_some();
    if by_input {
        let stop = token.clone();
        // A thread that nobody waits for: it may read for ever.
        std::thread::spawn(move || {
            let _ = copy(&mut stdin().lock(), &mut sink());
            stop.cancel();
        });
    }
    let stop = token.clone();
    tokio::spawn(async move {
        let interrupted = async { while tokio::signal::ctrl_c().await.is_ok() && by_input {} };
        tokio::select! {
            () = terminated() => {}
            () = interrupted => {}
        }
        stop.cancel();
    });
    token
}

/// Completes when a service had all of its time to stop.
pub(super) async fn overdue(stop: CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LIMIT).await;
}

/// Completes with SIGTERM.
async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate())
            && terminated.recv().await.is_some()
        {
            return;
        }
    }
    std::future::pending::<()>().await;
}
