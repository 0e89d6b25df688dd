import ArgumentParser
import Foundation
import GoldenParity

/// Compares with recorded runs of the reference implementation.
package struct GoldenCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "golden",
        abstract: "Compare every stage with golden numbers of the reference implementation.",
        discussion: "EXAMPLE\n  chatrex golden Tests/Golden")

    @Argument(help: "A golden set, or a folder of sets.")
    var folder: String

    package init() {}

    package func run() throws {
        let rungs = try GoldenParity.climb(URL(fileURLWithPath: folder, isDirectory: true))
        let width = rungs.map(\.name.count).max() ?? 0
        for rung in rungs {
            let error = String(format: "%.2e", rung.largestError), limit = String(format: "%.0e", rung.tolerance)
            let verdict = rung.passes ? "ok  " : "FAIL"
            try Terminal.write(
                "\(verdict)  \(rung.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(error)  (allowed \(limit))"
            )
        }
        let failed = rungs.count { !$0.passes }
        try Terminal.write("\(rungs.count - failed) of \(rungs.count) rungs hold")
        if failed > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
