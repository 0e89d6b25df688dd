import ArgumentParser
import Foundation
import Imaging

/// A picture that was read.
struct Picture {
    /// As it was named.
    let path: String
    /// Its place among the pictures of the command, from 0.
    let index: Int
    let image: Image
}

/// Takes the pictures of a command through one model. A picture that fails is reported, and the others go on.
struct PictureLoop {
    let sources: SourceList
    /// Pictures that are handed over together.
    var batchSize = 1

    /// - Parameters:
    ///   - load: makes the model. Called when the first picture is read, so that a mistyped name costs no loading.
    ///   - sink: gets the results in the order of the pictures.
    ///   - each: the text for each picture of a batch.
    ///   - atEnd: the text that ends the results; not asked for when no picture could be used.
    /// - Throws: what `load` throws; `ExitCode` of the first picture that failed, when all are done.
    func run<Model>(
        load: () async throws -> Model, into sink: ResultSink, each: (Model, [Picture]) async throws -> [String],
        atEnd: () throws -> String = { "" }
    ) async throws {
        Interrupt.install()
        var firstFailure: ExitStatus?
        func report(_ error: any Error, _ path: String?) {
            let message = ExitStatus.message(error)
            Terminal.complain(path.map { message.contains($0) ? message : "\($0): \(message)" } ?? message)
            firstFailure = firstFailure ?? ExitStatus(error)
        }
        for problem in sources.problems { report(problem, nil) }
        var model: Model?
        for start in stride(from: 0, to: sources.paths.count, by: batchSize) {
            var pictures: [Picture] = []
            for index in start..<min(start + batchSize, sources.paths.count) {
                let path = sources.paths[index]
                if sources.paths.count > 1 { Terminal.showProgress("\(index + 1)/\(sources.paths.count) \(path)") }
                do {
                    pictures.append(Picture(path: path, index: index, image: try Image(contentsOf: path)))
                } catch { report(error, path) }
            }
            if pictures.isEmpty { continue }
            let ready: Model
            if let model { ready = model } else { ready = try await load() }
            model = ready
            for result in await results(of: pictures, { try await each(ready, $0) }) {
                switch result {
                case .success(let text): try sink.write(text)
                case .failure(let failure): report(failure.error, failure.path)
                }
            }
        }
        Terminal.clearProgress()
        if model != nil { try sink.write(atEnd()) }
        try sink.finish()
        if let firstFailure { throw ExitCode(firstFailure.rawValue) }
    }

    private struct Failure: Error {
        let path: String, error: any Error
    }

    /// The texts for pictures. When a batch fails, its pictures are tried one by one, so that one cannot spoil the others.
    private func results(
        of pictures: [Picture], _ body: ([Picture]) async throws -> [String]
    ) async -> [Result<String, Failure>] {
        do {
            return try await body(pictures).map { .success($0) }
        } catch  where pictures.count == 1 {
            return [.failure(Failure(path: pictures[0].path, error: error))]
        } catch {
            var results: [Result<String, Failure>] = []
            for picture in pictures { results += await self.results(of: [picture], body) }
            return results
        }
    }
}
