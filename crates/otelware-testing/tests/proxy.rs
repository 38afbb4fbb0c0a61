//! A way to a server that is cut, silent, and restored.
#![cfg(feature = "proxy")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use otelware_testing::Proxy;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that says everything again, and what each of its connections ended with.
fn echo() -> (SocketAddr, Receiver<Result<(), ErrorKind>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ends, ended) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, ends) = (stream.unwrap(), ends.clone());
            thread::spawn(move || {
                let mut chunk = [0; 1_024];
                let end = loop {
                    match stream.read(&mut chunk) {
                        Ok(0) => break Ok(()),
                        Ok(count) => stream.write_all(&chunk[..count]).unwrap(),
                        Err(error) => break Err(error.kind()),
                    }
                };
                let _ = ends.send(end);
            });
        }
    });
    (address, ended)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn say(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes())?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8(answer).unwrap())
}

#[test]
fn what_is_said_is_passed_on_both_ways_to_the_end() {
    let (server, ended) = echo();
    let proxy = Proxy::to(server);
    let (mut one, mut other) = (connect(&proxy), connect(&proxy));
    let long = "long ".repeat(100_000);
    let saying = thread::spawn(move || say(&mut one, &long).unwrap() == long);
    assert_eq!(say(&mut other, "short").unwrap(), "short");
    assert!(saying.join().unwrap());
    other.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(other.read(&mut [0]).unwrap(), 0);
    let ends = [(); 2].map(|()| ended.recv_timeout(PATIENCE).unwrap());
    assert_eq!(ends, [Ok(()), Ok(())]);
}

#[test]
fn a_cut_resets_both_sides_and_nobody_listens_until_it_is_restored() {
    let (server, ended) = echo();
    let proxy = Proxy::to(server);
    let address = proxy.address();
    let mut stream = connect(&proxy);
    assert_eq!(say(&mut stream, "before").unwrap(), "before");
    proxy.cut();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let end = ended.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    proxy.cut();
    proxy.restore();
    assert_eq!(proxy.address(), address);
    assert_eq!(say(&mut connect(&proxy), "after").unwrap(), "after");
}

#[test]
fn a_silent_way_stays_open_and_lets_nothing_through() {
    let (server, ended) = echo();
    let proxy = Proxy::to(server);
    let mut old = connect(&proxy);
    assert_eq!(say(&mut old, "before").unwrap(), "before");
    proxy.silence();
    let mut new = connect(&proxy);
    for stream in [&mut old, &mut new] {
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let error = say(stream, "nobody hears").unwrap_err();
        // What a time limit is called differs between systems.
        assert!(
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{error}"
        );
    }
    assert!(ended.try_recv().is_err());
    proxy.restore();
    for mut stream in [old, new] {
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(say(&mut connect(&proxy), "after").unwrap(), "after");
}

#[test]
fn a_server_that_is_not_there_ends_the_connection() {
    let (server, _) = echo();
    let nobody = {
        let listener = TcpListener::bind((server.ip(), 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Proxy::to(nobody);
    assert_eq!(connect(&proxy).read(&mut [0]).unwrap(), 0);
}

#[test]
fn it_may_be_used_inside_asynchronous_code() {
    let (server, _) = echo();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let proxy = Proxy::to(server);
        assert_eq!(say(&mut connect(&proxy), "here").unwrap(), "here");
        proxy.cut();
        proxy.restore();
        assert_eq!(say(&mut connect(&proxy), "again").unwrap(), "again");
    });
}
