//! A headless Chromium, told what to do over two pipes (Chrome DevTools Protocol).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::Place;

/// Names by which systems know the browser.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Set where the browser must be there: a missing one fails the test then.
const REQUIRED: &str = "CUTWATER_BROWSER";

/// After so many seconds a browser is ended, whatever it does.
const SECONDS_MAX: &str = "240";

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    next: u64,
    session: Option<String>,
    /// What the page told without being asked.
    told: Vec<Value>,
}

impl Browser {
    /// Starts one; none where there is none, which is said.
    pub fn start(place: &Place) -> Option<Self> {
        let is_there = |name: &&&str| {
            let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output();
            found.is_ok_and(|output| output.status.success())
        };
        let Some(name) = NAMES.iter().find(is_there) else {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "{REQUIRED} is set, and there is no Chromium"
            );
            eprintln!("skipped: there is no Chromium here; .ci/run installs it, and runs this");
            return None;
        };
        let [into, out] = ["into", "out"].map(|name| place.path(name));
        let made = Command::new("mkfifo").args([&into, &out]).status();
        assert!(made.is_ok_and(|status| status.success()), "pipes can be made");
        let script = r#"into=$0; out=$1; shift; exec timeout "$@" 3<"$into" 4>"$out""#;
        let mut command = Command::new("sh");
        command.args(["-c", script]).args([&into, &out]).args([SECONDS_MAX, name]);
        command.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--remote-debugging-pipe",
        ]);
        command.args([
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
        ]);
        command.arg(format!("--user-data-dir={}", place.path("profile").display()));
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let to = OpenOptions::new().write(true).open(&into).expect("the browser reads");
        let from = BufReader::new(File::open(&out).expect("the browser writes"));
        let child = child.expect("a shell starts");
        let mut browser = Self { child, to, from, next: 0, session: None, told: Vec::new() };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        self.resize(1280, 900);
    }

    /// Calls a method, and waits for what it gives.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let answer = self.read();
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.told.push(answer);
        }
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = self.from.read_until(0, &mut bytes).expect("the browser can be read");
        assert!(read > 0, "the browser ended");
        bytes.pop();
        serde_json::from_slice(&bytes).expect("it speaks JSON")
    }

    /// Opens a file, with this after its name, and waits until it is there.
    pub fn open(&mut self, file: &Path, fragment: &str) {
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        let url = format!("file://{}{fragment}", file.display());
        self.call("Page.navigate", json!({ "url": url }));
        self.wait("location.protocol === 'file:' && document.readyState === 'complete'");
    }

    /// What an expression gives, or what its promise does.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].clone()
    }

    /// What an expression gives, as text.
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// Waits until an expression holds, for 200 frames at most.
    pub fn wait(&mut self, expression: &str) {
        const FRAMES_MAX: usize = 200;
        for _ in 0..FRAMES_MAX {
            if self.eval(&format!("Boolean({expression})")) == true {
                return;
            }
            self.eval("new Promise((done) => setTimeout(done, 16))");
        }
        panic!("it never came to {expression}");
    }

    /// Presses a key and lets it go.
    pub fn key(&mut self, key: &str) {
        let mut params = json!({ "type": "keyDown", "key": key });
        if key.chars().count() == 1 {
            params["text"] = json!(key);
        }
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            " " => 32,
            _ => 0,
        };
        params["windowsVirtualKeyCode"] = json!(code);
        if key == "Enter" {
            params["text"] = json!("\r");
        }
        self.call("Input.dispatchKeyEvent", params.clone());
        params["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", params);
    }

    /// Types text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Another size of the window.
    pub fn resize(&mut self, width: u32, height: u32) {
        let params =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", params);
    }

    /// What the system prefers: `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Asserts that nothing went wrong, and that nothing but files was asked for.
    pub fn expect_quiet(&mut self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// What went wrong, and what was asked for that is no file.
    pub fn complaints(&mut self) -> Vec<String> {
        self.eval("1");
        self.told.drain(..).filter_map(|told| complaint(&told)).collect()
    }
}

fn complaint(told: &Value) -> Option<String> {
    let params = &told["params"];
    match told["method"].as_str().unwrap_or_default() {
        "Runtime.exceptionThrown" => Some(format!("thrown: {params}")),
        "Runtime.consoleAPICalled" => Some(format!("on the console: {params}")),
        "Log.entryAdded" => Some(format!("in the log: {params}")),
        "Network.requestWillBeSent" => {
            let url = params["request"]["url"].as_str().unwrap_or_default();
            let is_file = url.starts_with("file://") || url.starts_with("about:");
            (!is_file).then(|| format!("asked for {url}"))
        }
        _ => None,
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.to.write_all(format!("{close}\0").as_bytes());
        let _ = self.child.wait();
    }
}
