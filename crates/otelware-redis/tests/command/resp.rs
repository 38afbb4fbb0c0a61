//! Commands as redis-rs sends them are read again as they were.

use otelware_redis::command::{arguments, decode};
use proptest::collection::vec;
use proptest::prelude::*;
use redis::{Cmd, Pipeline};

fn commands() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    vec(vec(vec(any::<u8>(), 0..40), 1..8), 0..8)
}

fn command(arguments: &[Vec<u8>]) -> Cmd {
    let mut command = Cmd::new();
    command.arg(arguments);
    command
}

fn read(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    decode(bytes)
        .map(|arguments| {
            let expected = arguments.len();
            let read: Vec<_> = arguments.map(<[u8]>::to_vec).collect();
            assert_eq!(read.len(), expected);
            read
        })
        .collect()
}

proptest! {
    #[test]
    fn a_command_is_read_as_it_was(commands in commands()) {
        for expected in commands {
            let command = command(&expected);
            let held: Vec<_> = arguments(&command).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(&held, &expected);
            prop_assert_eq!(read(&command.get_packed_command()), [expected]);
        }
    }

    #[test]
    fn a_pipeline_is_read_as_it_was(commands in commands(), atomic: bool) {
        let mut pipeline = Pipeline::new();
        if atomic {
            pipeline.atomic();
        }
        for arguments in &commands {
            pipeline.add_command(command(arguments));
        }
        let mut expected = commands;
        if atomic {
            expected.insert(0, vec![b"MULTI".to_vec()]);
            expected.push(vec![b"EXEC".to_vec()]);
        }
        prop_assert_eq!(read(&pipeline.get_packed_pipeline()), expected);
    }

    #[test]
    fn what_is_cut_off_ends_the_commands(commands in commands(), cut in 0.0..1.0) {
        let mut pipeline = Pipeline::new();
        for arguments in &commands {
            pipeline.add_command(command(arguments));
        }
        let bytes = pipeline.get_packed_pipeline();
        let len = (bytes.len() as f64 * cut) as usize;
        let read = read(&bytes[..len]);
        prop_assert!(bytes.is_empty() || read.len() < commands.len());
        prop_assert_eq!(&read[..], &commands[..read.len()]);
    }

    #[test]
    fn any_bytes_come_to_an_end(bytes in vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn bytes_like_commands_come_to_an_end(bytes in "([*$][0-9]{0,3}\r\n|[a-z]{0,4}\r\n){0,20}") {
        for arguments in read(bytes.as_bytes()) {
            prop_assert!(arguments.concat().len() <= bytes.len());
        }
    }
}
