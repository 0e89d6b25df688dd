import ArgumentParser
import Checkpoints
import Foundation
import Training

/// Draws what runs have logged.
package struct CurvesCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "curves",
        abstract: "Draw the losses and figures of training runs.",
        discussion: """
            One run: all its curves, as in the curves.svg that it keeps in its folder. Several runs: a chart for each figure with a \
            line for each run.

            EXAMPLE
              chatrex curves runs/joint runs/joint-lora --out runs/compared.svg
            """)

    @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"))
    var runs: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("The SVG file to write.", valueName: "file"))
    var out = "curves.svg"

    package init() {}

    package func run() throws {
        let histories = try runs.map { try RunHistory(URL(fileURLWithPath: $0, isDirectory: true)) }
        try AtomicFile.write(Data(RunCurves.svg(histories).utf8), to: URL(fileURLWithPath: out))
        try Terminal.write("wrote \(out)")
    }
}
