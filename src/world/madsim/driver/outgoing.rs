//! Outgoing connections: one for each peer and class, written by a task of its own.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::clock::Clock;
use super::either::{Either, either};
use super::frame::{Class, Frame, FrameReader};
use super::session::SendSession;
use super::{Life, Machine, World, lock};
use crate::cluster::Message;
use crate::protocol::VirtualTime;

/// From one packet of ordered messages to the next: what is sent meanwhile travels together.
const ORDERED_INTERVAL: Duration = Duration::from_millis(4);

/// The same for messages that travel alone.
const CONTROL_INTERVAL: Duration = Duration::from_millis(1);

/// Before the first attempt to connect again; doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(5);

/// Before any further attempt.
const RETRY_MAX: Duration = Duration::from_millis(40);

/// Control messages that wait for a connection take no more room than this; further ones are lost.
const CONTROL_BYTES_MAX: usize = 64 << 20;

/// One end of a connection to a peer.
pub struct Outgoing {
    from: Life,
    to: Machine,
    class: Class,
    waiting: Mutex<Waiting>,
    wake: Notify,
}

/// What waits to be written.
#[derive(Default)]
struct Waiting {
    /// Of an ordered connection.
    session: SendSession,
    /// Of a control connection.
    alone: Vec<u8>,
    /// The task waits for the next packet's turn, and is not to be woken for less than an order.
    is_pacing: bool,
    order: Option<Order>,
}

/// What a task is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Write all there is, now.
    Flush,
    /// Give the connection up for a new one.
    BreakOff,
}

impl Waiting {
    fn write(&mut self, into: &mut Vec<u8>) {
        self.session.write(into);
        into.append(&mut self.alone);
    }

    fn has_unwritten(&self) -> bool {
        self.session.has_unwritten() || !self.alone.is_empty()
    }
}

impl Outgoing {
    /// A connection that is opened as soon as there is something to write, by a task of the caller's.
    pub fn open(world: &Arc<dyn World>, from: Life, to: Machine, class: Class) -> Arc<Self> {
        let waiting = Mutex::default();
        let outgoing = Arc::new(Self { from, to, class, waiting, wake: Notify::new() });
        tokio::spawn(Arc::clone(&outgoing).run(Arc::clone(world)));
        outgoing
    }

    /// Sends an ordered message.
    pub fn send(&self, message: &Message) {
        let mut waiting = lock(&self.waiting);
        waiting.session.push(message);
        if !waiting.is_pacing {
            self.wake.notify_one();
        }
    }

    /// Sends a message that travels alone, and is held back by the receiver for so long.
    pub fn send_alone(&self, hold: Duration, message: &Message) {
        let mut waiting = lock(&self.waiting);
        if waiting.alone.len() < CONTROL_BYTES_MAX {
            let hold_us = hold.as_micros() as u64;
            Frame::Control { hold_us, message }.append_to(&mut waiting.alone);
        }
        if !waiting.is_pacing {
            self.wake.notify_one();
        }
    }

    /// What was sent leaves at once, if there is a connection.
    pub fn flush(&self) {
        self.order(Order::Flush);
    }

    /// The connection breaks; it is opened again if there is anything to send.
    pub fn break_off(&self) {
        self.order(Order::BreakOff);
    }

    fn order(&self, order: Order) {
        lock(&self.waiting).order = Some(order);
        self.wake.notify_one();
    }

    fn take_order(&self) -> Option<Order> {
        lock(&self.waiting).order.take()
    }

    async fn run(self: Arc<Self>, world: Arc<dyn World>) {
        let clock = world.clock();
        let mut retry = RETRY_MIN;
        loop {
            self.until_wanted().await;
            match TcpStream::connect(world.address(self.to)).await {
                Ok(stream) => {
                    retry = RETRY_MIN;
                    // Whatever ended it: what is left to do is done on the next.
                    let _ended = Wire::new(stream, clock.clone()).carry(&self).await;
                }
                Err(_) => {
                    lock(&self.waiting).alone.clear();
                    clock.sleep_until(clock.now() + retry).await;
                    retry = (retry * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn until_wanted(&self) {
        loop {
            {
                let waiting = lock(&self.waiting);
                if waiting.session.has_unacknowledged() || !waiting.alone.is_empty() {
                    return;
                }
            }
            self.wake.notified().await;
        }
    }

    fn interval(&self) -> Duration {
        match self.class {
            Class::Ordered => ORDERED_INTERVAL,
            Class::Control => CONTROL_INTERVAL,
        }
    }

    /// Waits for the turn of the next packet; returns an order to break off.
    async fn pace(&self, clock: &Clock, turn: VirtualTime) -> Option<Order> {
        lock(&self.waiting).is_pacing = true;
        let mut order = None;
        while clock.now() < turn && order.is_none() {
            either(self.wake.notified(), clock.sleep_until(turn)).await;
            order = self.take_order();
        }
        lock(&self.waiting).is_pacing = false;
        order
    }
}

/// An open connection.
struct Wire {
    stream: TcpStream,
    reader: FrameReader,
    clock: Clock,
    /// When it is the next packet's turn.
    turn: VirtualTime,
    packet: Vec<u8>,
}

/// What a wire waits for.
enum News {
    Woken,
    Frame(Frame<Message>),
    Ended,
}

impl Wire {
    fn new(stream: TcpStream, clock: Clock) -> Self {
        let (reader, packet) = (FrameReader::default(), Vec::new());
        Self { stream, reader, clock, turn: VirtualTime::ZERO, packet }
    }

    /// Writes what there is to write, until the connection breaks.
    async fn carry(mut self, outgoing: &Outgoing) -> io::Result<()> {
        outgoing.take_order();
        let mut welcomed = self.greet(outgoing);
        loop {
            if welcomed && lock(&outgoing.waiting).has_unwritten() {
                if outgoing.pace(&self.clock, self.turn).await == Some(Order::BreakOff) {
                    return Ok(());
                }
                lock(&outgoing.waiting).write(&mut self.packet);
            }
            self.flush(outgoing.interval()).await?;
            match self.news(outgoing).await? {
                News::Woken if outgoing.take_order() == Some(Order::BreakOff) => return Ok(()),
                News::Woken => {}
                News::Frame(frame) if handle_frame(outgoing, &frame) => welcomed = true,
                News::Frame(_) | News::Ended => return Ok(()),
            }
        }
    }

    /// Returns whether no answer is waited for.
    fn greet(&mut self, outgoing: &Outgoing) -> bool {
        let Outgoing { from, class, .. } = *outgoing;
        Frame::<()>::Hello { from, class }.append_to(&mut self.packet);
        class == Class::Control
    }

    async fn flush(&mut self, interval: Duration) -> io::Result<()> {
        if self.packet.is_empty() {
            return Ok(());
        }
        self.stream.write_all(&self.packet).await?;
        self.stream.flush().await?;
        self.packet.clear();
        self.turn = self.clock.now() + interval;
        Ok(())
    }

    async fn news(&mut self, outgoing: &Outgoing) -> io::Result<News> {
        match either(outgoing.wake.notified(), self.reader.next(&mut self.stream)).await {
            Either::First(()) => Ok(News::Woken),
            Either::Second(frame) => Ok(frame?.map_or(News::Ended, News::Frame)),
        }
    }
}

/// False if the peer says what cannot be.
fn handle_frame(outgoing: &Outgoing, frame: &Frame<Message>) -> bool {
    let session = &mut lock(&outgoing.waiting).session;
    match frame {
        Frame::Welcome { expected } => session.handle_welcome(*expected),
        Frame::Acknowledged { next } => session.handle_acknowledged(*next),
        Frame::Hello { .. } | Frame::Data { .. } | Frame::Control { .. } => false,
    }
}
