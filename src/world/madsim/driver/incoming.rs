//! Incoming connections: one task listens, and one reads each connection and hands on what it brings.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::Life;
use super::frame::{Class, Frame, FrameReader};
use super::process_instance::ProcessInstance;
use super::session::Arrival;
use crate::cluster::Message;
use crate::protocol::ProcessId;

/// Accepts connections for ever.
///
/// # Errors
///
/// When the process cannot listen at its address.
pub async fn listen(instance: Arc<ProcessInstance>) -> io::Result<()> {
    let listener = TcpListener::bind(instance.address()).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(receive(Arc::clone(&instance), stream));
    }
}

/// Whatever ends a connection, the sender opens the next.
async fn receive(instance: Arc<ProcessInstance>, stream: TcpStream) {
    let _ended = Incoming { instance, stream, reader: FrameReader::default() }.run().await;
}

struct Incoming {
    instance: Arc<ProcessInstance>,
    stream: TcpStream,
    reader: FrameReader,
}

impl Incoming {
    async fn run(mut self) -> io::Result<()> {
        match self.next().await? {
            Some(Frame::Hello { from, class: Class::Ordered }) => self.run_ordered(from).await,
            Some(Frame::Hello { from, class: Class::Control }) => {
                self.run_control(from.process).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn run_ordered(&mut self, from: Life) -> io::Result<()> {
        let Some(expected) = self.instance.welcome(from) else { return Ok(()) };
        self.write(&Frame::Welcome { expected }).await?;
        while let Some(Frame::Data { sequence, message }) = self.next().await? {
            if !self.instance.is_admitted().await {
                break;
            }
            let (arrival, next) = self.instance.receive(from, sequence, message);
            if arrival == Arrival::Wrong {
                break;
            }
            if let Some(next) = next {
                self.write(&Frame::Acknowledged { next }).await?;
            }
        }
        Ok(())
    }

    async fn run_control(&mut self, from: ProcessId) -> io::Result<()> {
        while let Some(Frame::Control { hold_us, message }) = self.next().await? {
            if !self.instance.is_admitted().await {
                break;
            }
            self.instance.receive_alone(from, Duration::from_micros(hold_us), message);
        }
        Ok(())
    }

    async fn next(&mut self) -> io::Result<Option<Frame<Message>>> {
        self.reader.next(&mut self.stream).await
    }

    async fn write(&mut self, frame: &Frame<()>) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.append_to(&mut bytes);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await
    }
}
