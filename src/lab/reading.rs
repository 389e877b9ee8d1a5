//! Makes settings of values: each in its range, and all of them together.

use std::str::FromStr as _;

use strum::IntoEnumIterator as _;

use super::error::LabError;
use super::factor::{Factor, Library, Values};
use super::limits;
use super::profile::EngineProfile;
use super::settings::{
    BufferSettings, ClusterSettings, IndependentSettings, JobSettings, Rate, Settings, Shape,
};
use super::units;
use crate::protocol::independent::Scheme;
use crate::protocol::{BarrierTravel, CheckpointSettings, Protocol};

impl Values {
    /// The settings that these values make, with the defaults for what is not given.
    ///
    /// # Errors
    ///
    /// When a value is no value of its factor, or values do not go together.
    pub fn settings(&self, library: &Library) -> Result<Settings, LabError> {
        let engine = self.read(Factor::Profile, "flink-heap", |name| library.engine(name))?;
        let store = self.read(Factor::Store, "local-ssd", |name| library.store(name))?;
        let (checkpoints, independent) = self.checkpoints()?;
        let settings = Settings {
            seed: self.read(Factor::Seed, "0", units::count)?,
            job: self.job(&engine)?,
            cluster: self.cluster(&engine)?,
            buffers: self.buffers()?,
            checkpoints,
            independent,
            engine,
            store,
            fail_at_ms: self
                .read(Factor::FailAt, "none", |text| unless("none", text, units::time_ms))?,
            warm_up_ms: self.read(Factor::WarmUp, "2s", units::time_ms)?,
            measure_ms: self.read(Factor::Measure, "8s", units::time_ms)?,
            quantum: self.read(Factor::Quantum, "auto", |text| {
                unless("auto", text, |text| within(units::count(text)?, 1, 1_000_000))
            })?,
        };
        limits::check(&settings)?;
        Ok(settings)
    }

    fn job(&self, engine: &EngineProfile) -> Result<JobSettings, LabError> {
        let payload_bytes = self.read(Factor::Payload, "80B", units::bytes)?;
        let entry = engine.entry_bytes(payload_bytes).max(1.0);
        let keys = match (self.get(Factor::Keys), self.get(Factor::State)) {
            (Some(_), Some(_)) => {
                return Err(LabError::value(
                    Factor::Keys,
                    "expected either keys or state, not both",
                ));
            }
            (Some(_), None) => self.read(Factor::Keys, "", units::count)?,
            (None, _) => (self.read(Factor::State, "100MiB", units::bytes)? as f64 / entry) as u64,
        };
        Ok(JobSettings {
            shape: self.shape()?,
            back_permille: self.back_permille()?,
            exchanges: self
                .read(Factor::Exchanges, "1", |text| within(units::count(text)?, 1, 32))?,
            parallelism: self
                .read(Factor::Parallelism, "2", |text| within(units::count(text)?, 1, 1_000))?,
            record_bytes: self.read(Factor::RecordBytes, "100B", |text| {
                within(units::bytes(text)?, 1, 1 << 30)
            })?,
            rate: self.read(Factor::Rate, "closed", rate)?,
            keys: keys.max(1),
            payload_bytes,
            dirty_permille: self.read(Factor::Dirty, "100%", units::permille)?,
            skew_permille: self.read(Factor::Skew, "0%", units::permille)?,
            sink_ns: self.read(Factor::Sink, "0ns", units::time_ns)?,
        })
    }

    fn shape(&self) -> Result<Shape, LabError> {
        self.read(Factor::Shape, "chain", |text| {
            Shape::from_str(text)
                .map_err(|_| format!("unknown shape {text:?}, expected chain, join or loop"))
        })
    }

    /// The default is what CheckMate's query of reachability sends back.
    fn back_permille(&self) -> Result<u64, LabError> {
        let is_loop = self.shape()? == Shape::Loop;
        self.read(Factor::Back, if is_loop { "8.5%" } else { "0%" }, |text| {
            within(units::permille(text)?, u64::from(is_loop), if is_loop { 900 } else { 0 })
                .map_err(|problem| format!("{problem} thousandths: only a loop has a way back"))
        })
    }

    fn cluster(&self, engine: &EngineProfile) -> Result<ClusterSettings, LabError> {
        let fitted = engine.calibrated.as_ref().map_or(2_000, |calibrated| calibrated.cores_milli);
        let cores_milli = match self.get(Factor::Cores) {
            None => fitted,
            Some(_) => self.read(Factor::Cores, "2", cores_milli)?,
        };
        Ok(ClusterSettings {
            workers: self
                .read(Factor::Workers, "1", |text| within(units::count(text)?, 1, 1_000))?,
            cores_milli,
            network_us: self.read(Factor::Network, "200us", units::time_us)?,
        })
    }

    fn buffers(&self) -> Result<BufferSettings, LabError> {
        let number = |text: &str| within(units::count(text)?, 0, 1_000_000);
        Ok(BufferSettings {
            bytes: self
                .read(Factor::Buffer, "32KiB", |text| within(units::bytes(text)?, 64, 1 << 30))?,
            exclusive: self.read(Factor::Credits, "2", number)?,
            floating: self.read(Factor::Floating, "8", number)?,
            output: self.read(Factor::Output, "4", number)?,
            debloat_ms: self.read(Factor::Debloat, "none", |text| unless("none", text, some_ms))?,
        })
    }

    fn checkpoints(&self) -> Result<(CheckpointSettings, Option<IndependentSettings>), LabError> {
        let is_loop = self.shape()? == Shape::Loop;
        let default = if is_loop { "coordinated" } else { "aligned" };
        let taken = self.read(Factor::Protocol, default, |text| taken(text, is_loop))?;
        let (protocol, scheme) = match taken {
            Taken::Together(protocol) => (protocol, None),
            Taken::Alone(scheme) => (Protocol::Aligned, Some(scheme)),
        };
        self.check_timeouts(protocol, scheme)?;
        let interval_ms = self.read(Factor::Interval, "1s", |text| {
            unless("none", text, some_ms)
                .map_err(|problem| format!("{problem}, or none for no checkpoints"))
        })?;
        let of = |scheme| Some(IndependentSettings { scheme, interval_ms: interval_ms? });
        let independent = scheme.and_then(of);
        let settings = CheckpointSettings {
            protocol,
            aligned_timeout_ms: self.read(Factor::AlignedTimeout, "100ms", units::time_ms)?,
            interval_ms: interval_ms.filter(|_| scheme.is_none()).unwrap_or(0),
            pause_min_ms: self.read(Factor::Pause, "0ms", units::time_ms)?,
            timeout_ms: self.read(Factor::Timeout, "10min", some_ms)?,
            concurrent_max: self
                .read(Factor::Concurrency, "1", |text| within(units::count(text)?, 1, 1_000))?,
            failures_tolerated: u32::MAX,
            retained: 1,
        };
        Ok((settings, independent))
    }

    /// Nobody is given what plays no part.
    fn check_timeouts(&self, protocol: Protocol, scheme: Option<Scheme>) -> Result<(), LabError> {
        let has_timeout = protocol.traits().travel == BarrierTravel::InOrderAtFirst;
        if self.get(Factor::AlignedTimeout).is_some() && !has_timeout {
            let name = self.get(Factor::Protocol).unwrap_or("aligned");
            let problem = format!("expected protocol hybrid, since {name} has no such timeout");
            return Err(LabError::value(Factor::AlignedTimeout, problem));
        }
        let of_coordinators = [Factor::Pause, Factor::Timeout, Factor::Concurrency];
        match of_coordinators.into_iter().find(|factor| self.get(*factor).is_some()) {
            Some(factor) if scheme.is_some() => {
                Err(LabError::value(factor, "expected a protocol with a coordinator"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn read<T>(
        &self,
        factor: Factor,
        default: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, LabError> {
        let text = self.get(factor).unwrap_or(default);
        read(text).map_err(|problem| LabError::value(factor, problem))
    }
}

fn unless<T>(
    word: &str,
    text: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text == word { Ok(None) } else { read(text).map(Some) }
}

fn within<T: TryFrom<u64>>(number: u64, least: u64, most: u64) -> Result<T, String> {
    let expected = || format!("{number}, expected {least} to {most}");
    if !(least..=most).contains(&number) {
        return Err(expected());
    }
    T::try_from(number).map_err(|_| expected())
}

fn rate(text: &str) -> Result<Rate, String> {
    if text == "closed" {
        return Ok(Rate::Closed);
    }
    if text.ends_with('%') {
        let permille = units::permille(text)?;
        if permille == 0 || !permille.is_multiple_of(10) {
            return Err(format!("{text:?}, expected whole per cent, 1% to 100%"));
        }
        return Ok(Rate::Load(permille / 10));
    }
    match units::count(text.trim_end_matches("/s"))? {
        0 => Err(format!("{text:?}, expected at least 1 a second")),
        rate => Ok(Rate::PerSecond(rate)),
    }
}

/// A time of at least a millisecond.
fn some_ms(text: &str) -> Result<u64, String> {
    match units::time_ms(text)? {
        0 => Err(format!("{text:?}, expected at least 1ms")),
        ms => Ok(ms),
    }
}

fn cores_milli(text: &str) -> Result<u64, String> {
    let cores: f64 = text.parse().map_err(|_| format!("{text:?} is no number of cores"))?;
    if !(0.001..=1_000.0).contains(&cores) {
        return Err(format!("{text}, expected 0.001 to 1000"));
    }
    Ok((cores * 1e3) as u64)
}

/// Who takes checkpoints, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Together(Protocol),
    Alone(Scheme),
}

fn taken(text: &str, is_loop: bool) -> Result<Taken, String> {
    let together = if is_loop { Protocol::Cyclic } else { Protocol::Aligned };
    match text {
        "coordinated" => return Ok(Taken::Together(together)),
        "communication-induced" => return Ok(Taken::Alone(Scheme::Hmnr)),
        _ => {}
    }
    let known = Protocol::from_str(text).map(Taken::Together);
    known.or_else(|_| Scheme::from_str(text).map(Taken::Alone)).map_err(|_| {
        let protocols = Protocol::iter().map(Into::<&str>::into);
        let schemes = Scheme::iter().map(Into::<&str>::into);
        let more = ["coordinated", "communication-induced"];
        let known: Vec<&str> = protocols.chain(more).chain(schemes).collect();
        format!("unknown protocol {text:?}, expected one of: {}", known.join(", "))
    })
}
