//! The tasks on which redis-rs runs asynchronous connections: one for each connection to a cluster,
//! which opens those to all its nodes.

use super::{MOST, lock};
use crate::core::Core;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};

#[cfg(feature = "tokio-comp")]
type Task = tokio::task::Id;

/// Where there is no tokio, tasks can't be told apart.
#[cfg(not(feature = "tokio-comp"))]
type Task = std::convert::Infallible;

type Clients = HashMap<Task, Weak<Core>>;

static CLIENTS: LazyLock<Mutex<Clients>> = LazyLock::new(Mutex::default);

/// The client that connections of this task are of, if that is known.
pub(super) fn client() -> Weak<Core> {
    let client = this().and_then(|task| lock(&CLIENTS).get(&task).cloned());
    client.unwrap_or_default()
}

/// All connections that this task opens are of that client.
pub(super) fn is_of(core: &Arc<Core>) {
    if let Some(task) = this() {
        remember(&mut lock(&CLIENTS), task, core);
    }
}

fn remember(clients: &mut Clients, task: Task, core: &Arc<Core>) {
    if clients.len() >= MOST {
        clients.retain(|_, core| core.strong_count() > 0);
    }
    if clients.len() >= MOST {
        clients.clear();
    }
    clients.insert(task, Arc::downgrade(core));
}

#[cfg(feature = "tokio-comp")]
fn this() -> Option<Task> {
    tokio::task::try_id()
}

#[cfg(not(feature = "tokio-comp"))]
const fn this() -> Option<Task> {
    None
}

#[cfg(all(test, feature = "tokio-comp"))]
mod tests {
    use super::*;
    use crate::{RedisOptions, Server};

    fn core() -> Arc<Core> {
        Core::new(RedisOptions::new(), Server::default())
    }

    #[tokio::test]
    async fn no_more_tasks_are_known_than_that() {
        let (live, dead, mut tasks) = (core(), core(), HashMap::new());
        let mut last = None;
        for number in 0..=2 * MOST {
            let core = if number < 10 { &dead } else { &live };
            let task = tokio::spawn(async {}).id();
            remember(&mut tasks, task, core);
            assert!(tasks.len() <= MOST);
            last = Some(task);
        }
        let last = &tasks[&last.unwrap()];
        assert!(last.ptr_eq(&Arc::downgrade(&live)));
    }
}
