import DataEngine
import Foundation
import Testing

/// The worker mechanism with a stand-in that needs nothing but Python's standard library.
@Suite struct PythonWorkerTests {
    private static let script = """
        import signal

        def load(settings):
            problem = settings.get("problem")
            if problem == "missing":
                raise Unusable("there is no such library")
            if problem == "exit":
                print("the last words", file=sys.stderr)
                _end(7)
            if problem == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            def work(requests):
                for request in requests:
                    yield answer(*request.split(" ", 1))
            return work

        def answer(command, text=""):
            if command == "slow":
                time.sleep(0.003)
            elif command == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif command == "break":
                _answers.write(b'{"id":')
                _answers.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            elif command == "exit":
                print("the last words", file=sys.stderr)
                _end(7)
            elif command == "hang":
                time.sleep(3600)
            elif command == "raise":
                raise ValueError("not this one")
            elif command == "noise":
                print("noise")
                os.write(1, b"more noise\\n")
                os.write(2, b"x" * 3000000)
                _answers.write(b'{"id":123456789,"result":"nobody asked"}\\n{"id":0,"result":"again"}\\n\\xff\\xfe\\n[1]\\n\\n')
            elif command == "repeat":
                return text * 1000
            elif command == "number":
                return 5
            return text

        serve(load)
        """

    private func worker(
        _ settings: [String: String] = [:], python: String = "python3",
        _ change: (inout PythonWorker.Options) -> Void = { _ in }
    ) throws -> PythonWorker {
        var options = PythonWorker.Options()
        options.batchSize = 16
        change(&options)
        return try PythonWorker(
            name: "tests", script: Array(Self.script.utf8), settings: settings, python: python, options: options)
    }

    private func answers(_ worker: PythonWorker, _ requests: [String]) async -> [String: Result<String, any Error>] {
        await withTaskGroup(of: (String, Result<String, any Error>).self) { group in
            for request in requests {
                group.addTask {
                    do {
                        // Not `.success(try await …)`: Swift 6.3.1's optimiser releases the pair's text too early.
                        let answer: String = try await worker.ask(request)
                        return (request, .success(answer))
                    } catch {
                        return (request, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// Whether a process runs; one that has ended and waits to be collected does not.
    private static func isRunning(_ process: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let state = status.split(separator: ")").last?.split(separator: " ").first
        return state != nil && state != "Z" && state != "X"
    }

    private static func ends(_ process: Int32, within seconds: Double) async -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while isRunning(process) {
            if .now > end { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    // MARK: Answers

    @Test func `every caller gets the answer to its own request`() async throws {
        let worker = try worker()
        let texts = (0..<500).map {
            "say \($0) \u{1F469}\u{200D}\u{1F680} \u{1112}\u{1161}\u{11AB} e\u{301} \"\\ \n\r\t\u{0}\u{2028}\u{FEFF}"
        }
        let answers = await answers(worker, texts)
        for text in texts { #expect(try answers[text]?.get() == String(text.dropFirst(4))) }
    }

    @Test func `lines of megabytes go both ways, several at a time`() async throws {
        let worker = try worker { $0.batchBytes = 64 << 20 }
        let texts = (0..<3).map { "say \($0)" + String(repeating: "ab\u{1F600}\u{4E2D}\n", count: 200_000) }
        let repeated = "repeat " + String(repeating: "0123456789", count: 500)
        let answers = await answers(worker, texts + [repeated, "noise"])
        for text in texts { #expect(try answers[text]?.get() == String(text.dropFirst(4))) }
        #expect(try answers[repeated]?.get().utf8.count == 5_000_000)
    }

    @Test func `what is no answer is passed over`() async throws {
        let worker = try worker()
        #expect(try await worker.ask("say first") == "first")
        #expect(try await worker.ask("noise loud") == "loud")
        let answers = await answers(worker, ["say a", "noise b", "noise c", "say d"])
        #expect(try answers.values.map { try $0.get() }.sorted() == ["a", "b", "c", "d"])
    }

    @Test func `an exception concerns the request that raised it alone`() async throws {
        let worker = try worker()
        let answers = await answers(worker, ["say a", "raise", "say b", "say c"])
        #expect(throws: WorkerRequestError.refused(worker: "tests", reason: "ValueError: not this one")) {
            try answers["raise"]?.get()
        }
        #expect(try ["say a", "say b", "say c"].map { try answers[$0]?.get() } == ["a", "b", "c"])
    }

    @Test func `an answer of another type is an error`() async throws {
        let worker = try worker()
        await #expect(throws: WorkerRequestError.self) { let _: String = try await worker.ask("number") }
        #expect(try await worker.ask("number") == 5)
    }

    // MARK: Death

    @Test func `killed at 20 random moments, it answers each of 500 texts once`() async throws {
        let worker = try worker { $0.restartLimit = 100 }
        var killed: Int32 = 0
        for round in 0..<20 {
            let texts = (0..<25).map { "slow \(round * 25 + $0)" }
            async let asked = answers(worker, texts)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
            var process = await worker.processIdentifier
            while process == nil || process == killed {
                try await Task.sleep(for: .milliseconds(1))
                process = await worker.processIdentifier
            }
            killed = try #require(process)
            #expect(kill(killed, SIGKILL) == 0)
            let answers = await asked
            for text in texts { #expect(try answers[text]?.get() == String(text.dropFirst(5))) }
        }
    }

    @Test(arguments: ["die", "break", "exit"])
    func `a request that ends the process fails alone`(command: String) async throws {
        let worker = try worker()
        let others = (0..<60).map { "say \($0)" }
        let answers = await answers(worker, others + [command])
        for text in others { #expect(try answers[text]?.get() == String(text.dropFirst(4))) }
        let error = #expect(throws: WorkerRequestError.self) { try answers[command]?.get() }
        guard case .killsWorker("tests", 3, let last) = error else {
            Issue.record("\(String(describing: error))"); return
        }
        #expect(last.contains(command == "exit" ? "status 7: the last words" : "signal 9"))
    }

    @Test func `a request without an end is given up`() async throws {
        let worker = try worker {
            $0.answerTime = .milliseconds(800)
            $0.deathsPerRequest = 1
        }
        try await worker.start()
        let answers = await answers(worker, ["say a", "hang", "say b"])
        #expect(try answers["say a"]?.get() == "a")
        #expect(try answers["say b"]?.get() == "b")
        #expect(
            throws: WorkerRequestError.killsWorker(worker: "tests", count: 1, last: "it gave no answer in time")
        ) { try answers["hang"]?.get() }
    }

    @Test func `a process that never lasts is given up`() async throws {
        let worker = try worker(["problem": "killed"]) { $0.restartLimit = 2 }
        let answers = await answers(worker, ["say a", "say b"])
        for request in ["say a", "say b"] {
            #expect(throws: WorkerError.diesTooOften(worker: "tests", count: 3, last: "it was ended by signal 9")) {
                try answers[request]?.get()
            }
        }
        // For a while nothing more is tried.
        await #expect(throws: WorkerError.self) { try await worker.start() }
        #expect(await worker.processIdentifier == nil)
    }

    @Test func `a process that dies idle is replaced for the next request`() async throws {
        let worker = try worker()
        #expect(try await worker.ask("say a") == "a")
        let first = try #require(await worker.processIdentifier)
        kill(first, SIGKILL)
        #expect(try await worker.ask("say b") == "b")
        #expect(await worker.processIdentifier != first)
    }

    // MARK: Start and end

    @Test(arguments: [
        ("missing", "python3", "there is no such library"),
        ("exit", "python3", "status 7 before it was ready: the last words"),
        ("", "/nowhere/python3", "/nowhere/python3"), ("", "no-such-python", "no-such-python"), ("", "/bin/cat", "cat"),
    ])
    func `what is missing is said, with how to install it`(problem: String, python: String, message: String)
        async throws
    {
        let worker = try worker(["problem": problem], python: python)
        let error = try #require(await #expect(throws: WorkerError.self) { try await worker.start() })
        let text = "\(error)"
        #expect(text.contains(message) && text.contains("Scripts/engine/install.sh"))
        // Later requests know at once.
        await #expect(throws: error) { let _: String = try await worker.ask("say a") }
    }

    @Test func `a request that is cancelled leaves the others alone`() async throws {
        let worker = try worker()
        try await worker.start()
        let cancelled = Task { try await worker.ask("slow a", for: String.self) }
        cancelled.cancel()
        async let other: String = worker.ask("slow b")
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(try await other == "b")
    }

    @Test func `stopping ends the process and fails what waits`() async throws {
        let worker = try worker()
        try await worker.start()
        let process = try #require(await worker.processIdentifier)
        let waiting = Task { try await worker.ask("hang", for: String.self) }
        try await Task.sleep(for: .milliseconds(50))
        await worker.stop()
        await #expect(throws: WorkerError.stopped(worker: "tests")) { try await waiting.value }
        await #expect(throws: WorkerError.stopped(worker: "tests")) { let _: String = try await worker.ask("say a") }
        #expect(!Self.isRunning(process))
    }

    @Test func `the process ends with the object`() async throws {
        var worker: PythonWorker? = try worker()
        try await worker?.start()
        let process = try #require(await worker?.processIdentifier)
        #expect(Self.isRunning(process))
        worker = nil
        #expect(await Self.ends(process, within: 10))
    }

    #if os(Linux)
        /// A program that starts a worker and is killed; a process beside them may hold the worker's standard input
        /// open.
        @Test(arguments: [false, true])
        func `the process ends with the program, however that ends`(isHeldOpen: Bool) async throws {
            let source = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Sources/DataEngine/Workers/worker.py")
            let program = """
                import os, signal, subprocess, sys
                reading, writing = os.pipe()
                worker = subprocess.Popen([sys.executable, "-c", sys.argv[1], "{}"], stdin=reading, stdout=subprocess.PIPE)
                worker.stdout.readline()
                if sys.argv[2] == "true":
                    subprocess.Popen(["sleep", "10"], pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                print(worker.pid, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
                """
            let process = Process(), output = Pipe()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "python3", "-c", program, try String(contentsOf: source, encoding: .utf8) + "\n" + Self.script,
                "\(isHeldOpen)",
            ]
            process.standardOutput = output
            try process.run()
            let text = String(
                decoding: try #require(try output.fileHandleForReading.read(upToCount: 20)), as: UTF8.self)
            process.waitUntilExit()
            let worker = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(await Self.ends(worker, within: 10))
        }
    #endif
}
