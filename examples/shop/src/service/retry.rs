//! Patience with what is away: it is tried again for ever, and ever less often.

use std::fmt::Display;
use std::time::Duration;
use tokio::time::sleep;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The result of the first attempt that works. `what` is what is away meanwhile.
pub(crate) async fn until_it_works<T, E: Display, F>(
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let mut pause = SHORTEST_PAUSE;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => tracing::warn!(what, %error, ?pause, "away"),
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(2 * pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest() {
        let begin = Instant::now();
        let mut attempts = Vec::new();
        let value = until_it_works("the test", || {
            attempts.push(begin.elapsed().as_millis());
            let attempt = attempts.len();
            async move {
                if attempt < 8 {
                    Err("not yet")
                } else {
                    Ok(attempt)
                }
            }
        })
        .await;
        assert_eq!(value, 8);
        assert_eq!(attempts, [0, 100, 300, 700, 1500, 3100, 5100, 7100]);
    }
}
