//! `cutwater overhead calibrate` and `predict`: profiles of real engines, and how far to trust them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::lab::calibration::{self, Accuracy, Prediction, Profiles, Setting};
use crate::lab::measured::{self, Measured, Use};
use crate::lab::{EngineProfile, fitting, profile};
use clap::Args;

use super::super::console::Console;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::out::new_file;
use super::super::pages;
use super::super::table::{Align, Table};
use super::chart::{self, Axes, Series};
use super::loading::{self, usage};
use super::telling::ms;
use super::trust;

/// What was measured, and where the profiles go.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// Writes the profile to a new file; with several backends to one each, named after it
    #[arg(long, value_name = "OUT.toml")]
    profile: PathBuf,
    /// A profile to begin with: what no row tells is taken over from it; one for each backend
    #[arg(long, value_name = "PROFILE")]
    from: Vec<String>,
}

/// What was measured, and what predicts it.
#[derive(Debug, Args)]
pub struct Predicting {
    #[command(flatten)]
    job: Job,
    /// A profile that comes with the program, or a file of one; one for each backend
    #[arg(long, value_name = "PROFILE")]
    profile: Vec<String>,
}

/// The job that was measured, and the machine.
#[derive(Debug, Args)]
struct Job {
    /// The measurements: docs/OVERHEAD.md tells which columns there are
    #[arg(value_name = "MEASURED.csv")]
    measured: PathBuf,
    /// Subtasks an operator
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    parallelism: u16,
    /// Shuffles
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    exchanges: u16,
    /// Bytes of a record on the wire
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    record_bytes: u32,
    /// Thousandths of a core that engine and coordinator have together; otherwise what the table says they used
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    cores_milli: Option<u64>,
    /// Writes a chart of predicted against measured to a new file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Job {
    fn rows(&self) -> Result<Vec<Measured>, CliError> {
        let path = self.measured.display().to_string();
        measured::parse(&path, &loading::read(&self.measured)?).map_err(usage)
    }

    fn setting(&self) -> Setting {
        Setting {
            parallelism: self.parallelism,
            exchanges: self.exchanges,
            record_bytes: self.record_bytes,
            cores_milli: self.cores_milli,
            ..Setting::default()
        }
    }
}

/// Fits, writes, and judges.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    let rows = arguments.job.rows()?;
    let start = profiles(&arguments.from)?;
    let setting = arguments.job.setting();
    let source = format!(
        "fitted by cutwater overhead calibrate to the rows marked fit of {}",
        arguments.job.measured.display()
    );
    let fitted = fitting::fit(&rows, &start, &setting, &source).map_err(usage)?;
    let predictions = calibration::predict(&rows, &fitted, &setting).map_err(usage)?;
    let mut files = Vec::new();
    for profile in fitted.values() {
        let path = path_of(&arguments.profile, profile, fitted.len());
        files.push((path.clone(), new_file(&path)?, profile));
    }
    let mut out = Console::stdout();
    tell(&mut out, &predictions)?;
    for (path, mut file, profile) in files {
        file.write_all(profile.text().as_bytes()).map_err(|error| CliError::io(&path, error))?;
        writeln!(out, "profile {}", path.display())?;
    }
    page(&mut out, arguments.job.html.as_deref(), &predictions)?;
    Ok(Exit::Held)
}

/// Judges.
pub fn predict(arguments: &Predicting) -> Result<Exit, CliError> {
    let rows = arguments.job.rows()?;
    let profiles = profiles(&arguments.profile)?;
    let predictions =
        calibration::predict(&rows, &profiles, &arguments.job.setting()).map_err(usage)?;
    let mut out = Console::stdout();
    tell(&mut out, &predictions)?;
    page(&mut out, arguments.job.html.as_deref(), &predictions)?;
    Ok(Exit::Held)
}

/// Those that come with the program, and instead of them those that are named.
fn profiles(names: &[String]) -> Result<Profiles, CliError> {
    let mut profiles = Profiles::new();
    for name in ["flink-heap", "flink-rocksdb", "flink-changelog"] {
        let profile = profile::engine(name).expect("it comes with the program");
        profiles.insert(profile.state.backend, profile);
    }
    for name in names {
        let profile = match profile::engine(name) {
            Some(profile) => profile,
            None => loading::engine(Path::new(name))?,
        };
        profiles.insert(profile.state.backend, profile);
    }
    Ok(profiles)
}

/// `out.toml`, or `out-heap.toml` where there are several.
fn path_of(path: &Path, profile: &EngineProfile, profiles: usize) -> PathBuf {
    if profiles == 1 {
        return path.to_owned();
    }
    let stem =
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    path.with_file_name(format!("{stem}-{}.toml", profile.state.backend))
}

fn tell(out: &mut Console, predictions: &[Prediction]) -> Result<(), CliError> {
    write!(out, "{}", table(predictions))?;
    writeln!(out)?;
    for (name, of) in [("fitted", Use::Fit), ("judging", Use::Test)] {
        let Accuracy { rows, mean_absolute_points, rank_correlation } =
            calibration::accuracy(predictions, of);
        if rows > 0 {
            writeln!(
                out,
                "{name}: {rows} rows, mean absolute error {mean_absolute_points:.1} points, rank correlation {rank_correlation:.2}"
            )?;
        }
    }
    Ok(())
}

fn table(predictions: &[Prediction]) -> Table {
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("use", left),
        ("backend", left),
        ("keys", right),
        ("interval", right),
        ("protocol", left),
        ("measured", right),
        ("base's own spread", left),
        ("predicted", right),
        ("error", right),
        ("a checkpoint took", right),
        ("predicted", right),
        ("", left),
    ]);
    for one in predictions {
        let (least, most) = one.base_spread;
        table.row([
            if one.row.use_for == Use::Fit { "fit" } else { "test" }.to_owned(),
            one.row.backend.to_string(),
            one.row.keys.to_string(),
            one.row.interval_ms.map_or(String::new(), |ms| format!("{ms} ms")),
            one.row.protocol.to_string(),
            format!("{:.3}", one.measured_ratio),
            format!("{least:.2} to {most:.2}"),
            format!("{:.3}", one.predicted_ratio),
            format!("{:+.1}", one.error_points()),
            one.row.duration_ms.map_or(String::new(), ms),
            ms(one.report.duration.p50),
            trust::note(&one.outside).unwrap_or_default(),
        ]);
    }
    table
}

fn page(
    out: &mut Console,
    path: Option<&Path>,
    predictions: &[Prediction],
) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let most = predictions.iter().map(|one| one.measured_ratio.max(one.predicted_ratio));
    let top = chart::ceiling(most.fold(1.0, f64::max));
    let points = |of: Use| {
        let chosen = predictions.iter().filter(|one| one.row.use_for == of);
        chosen.map(|one| (one.measured_ratio / top, one.predicted_ratio)).collect()
    };
    let series = [("fitted", Use::Fit), ("judging", Use::Test)].map(|(name, of)| Series {
        points: points(of),
        is_line: false,
        ..Series::named(name)
    });
    let ticks = (0..=4).map(|quarter| {
        let share = f64::from(quarter) / 4.0;
        (share, chart::short(top * share))
    });
    let axes = Axes {
        about: "predicted against measured throughput ratio; its table follows".to_owned(),
        x: "measured".to_owned(),
        y: "predicted".to_owned(),
        x_ticks: ticks.collect(),
        y_max: top,
    };
    let names: Vec<String> = series.iter().map(|one| one.name.clone()).collect();
    let content = format!(
        "<style>{}</style>\n<h1>Predicted against measured</h1>\n<p>Throughput with checkpoints, by that without; on \
         the diagonal both are the same.</p>\n<figure class=\"alone\">{}{}{}</figure>\n",
        chart::STYLE,
        chart::lines(&axes, &series, &[], true),
        chart::key(&names, false),
        pages::table(&table(predictions))
    );
    let document = pages::document("Predicted against measured", &content);
    let mut file = new_file(path)?;
    file.write_all(document.as_bytes()).map_err(|error| CliError::io(path, error))?;
    writeln!(out, "chart {}", path.display())?;
    Ok(())
}
