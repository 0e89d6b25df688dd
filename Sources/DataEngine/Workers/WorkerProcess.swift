import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// One life of a worker's process.
struct WorkerProcess: Sendable {
    /// How it came to its end.
    enum Ending: Sendable {
        case cancelled
        /// Another try would end the same way.
        case unusable(String)
        /// Why, as a part of a sentence.
        case died(String, wasReady: Bool)
    }

    private typealias Running = Execution<CustomWriteInput, SequenceOutput, SequenceOutput>

    let python: String
    let arguments: [String]
    let lineLimit: Int

    /// Starts the process and serves requests until it ends. Cancelling the task kills it.
    func live(serving queue: WorkerQueue) async -> Ending {
        let tail = TailBox()
        do {
            let result = try await run(
                executable, arguments: Arguments(arguments), input: .inputWriter, output: .sequence, error: .sequence
            ) { process in
                await converse(with: process, queue, tail)
            }
            return await ending(result.terminationStatus, queue, await tail.lastLine)
        } catch let error as SubprocessError {
            if Task.isCancelled { return .cancelled }
            // Too many processes or files at the moment: another try may go well.
            let passing: [Errno] = [
                .resourceTemporarilyUnavailable, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem,
            ]
            return error.underlyingError.map(passing.contains) == true
                ? .died("\(error)", wasReady: false) : .unusable("'\(python)' cannot be run (\(error))")
        } catch {
            return Task.isCancelled ? .cancelled : .died("\(error)", wasReady: false)
        }
    }

    private var executable: Executable {
        python.contains("/")
            ? .path(FilePath(URL(fileURLWithPath: python).path(percentEncoded: false))) : .name(python)
    }

    private func converse(with process: Running, _ queue: WorkerQueue, _ tail: TailBox) async {
        await queue.processStarted(process.processIdentifier.value)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await Self.keepTail(of: process, tail) }
            group.addTask { await Self.write(to: process, queue) }
            group.addTask { if await queue.isSilent() { Self.kill(process) } }
            do {
                var splitter = LineSplitter(limit: lineLimit)
                for try await buffer in process.standardOutput {
                    for line in try buffer.withUnsafeBytes({ try splitter.lines(after: $0) }) {
                        if let message = WorkerMessage(line), await queue.receive(message, line: line) { continue }
                        await tail.append(line + [UInt8(ascii: "\n")])
                    }
                }
            } catch is LineSplitter.TooLong {
                await tail.append("it wrote a line of more than \(lineLimit) bytes\n".utf8)
            } catch {
                await tail.append("its answers cannot be read: \(error)\n".utf8)
            }
            // Also where it has only closed its output: it can answer no more.
            Self.kill(process)
            group.cancelAll()
        }
    }

    private static func write(to process: Running, _ queue: WorkerQueue) async {
        while let batch = await queue.nextBatch() {
            do {
                _ = try await process.standardInputWriter.write(batch)
            } catch {
                return kill(process)
            }
            await queue.batchIsDone()
        }
    }

    private static func keepTail(of process: Running, _ tail: TailBox) async {
        do {
            for try await buffer in process.standardError { await tail.append(buffer.withUnsafeBytes(Array.init)) }
        } catch {
            await tail.append("its messages cannot be read: \(error)\n".utf8)
        }
    }

    private static func kill(_ process: Running) {
        // Fails for a process that has ended already, which is as well.
        try? process.send(signal: .kill)
    }

    private func ending(_ status: TerminationStatus, _ queue: WorkerQueue, _ lastLine: String?) async -> Ending {
        if Task.isCancelled { return .cancelled }
        if let fatal = await queue.fatal { return .unusable(fatal) }
        let isReady = await queue.isReady
        if await queue.isOverdue {
            return .died(isReady ? "it gave no answer in time" : "it was not ready in time", wasReady: isReady)
        }
        let message = lastLine.map { ": \($0)" } ?? ""
        switch status {
        case .exited(let code) where !isReady:
            return .unusable("'\(python)' ended with status \(code) before it was ready\(message)")
        case .exited(let code): return .died("it ended with status \(code)\(message)", wasReady: true)
        case .signaled(let signal): return .died("it was ended by signal \(signal)\(message)", wasReady: isReady)
        }
    }
}

private actor TailBox {
    private var tail = OutputTail()

    var lastLine: String? { tail.lastLine }

    func append(_ bytes: some Collection<UInt8> & Sendable) { tail.append(bytes) }
}
