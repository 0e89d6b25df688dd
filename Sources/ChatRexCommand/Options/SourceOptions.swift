import ArgumentParser
import Foundation

/// Which pictures a command reads, beside those in its arguments.
package struct SourceOptions: ParsableArguments {
    @Option(
        name: .customLong("source"), parsing: .singleValue,
        help: ArgumentHelp(
            "A picture, a folder or a quoted pattern such as 'shots/*.jpg'; may be repeated.", valueName: "source"))
    package var named: [String] = []

    @Flag(name: .shortAndLong, help: "Look for pictures in the subfolders of folders too.")
    package var recursive = false

    package init() {}

    /// The pictures of a command line.
    package func list(and arguments: [String]) -> SourceList { SourceList(arguments + named, recursive: recursive) }

    /// Checks arguments that are nothing but sources.
    func validate(_ arguments: [String]) throws {
        if arguments.isEmpty && named.isEmpty { throw ValidationError("Name at least one picture, folder or pattern.") }
    }

    /// Takes arguments apart that are sources with a text after them.
    ///
    /// - Parameter meaning: what the text is, for the message when it is missing.
    func split(_ arguments: [String], meaning: String) throws -> (sources: [String], text: String) {
        guard let text = arguments.last, arguments.count > 1 || !named.isEmpty else {
            throw ValidationError("Name at least one picture, and after it \(meaning) in quotes.")
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: text, isDirectory: &isFolder), !isFolder.boolValue {
            throw ValidationError("'\(text)' is a file. The last argument is \(meaning), in quotes.")
        }
        return (Array(arguments.dropLast()), text)
    }
}
