import ArgumentParser
import ChatRex
import Foundation
import Imaging
import Scenes
import Torch

/// What the machine has and what is missing.
package struct DoctorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this machine has and what is missing.",
        discussion: "Ends with 1 when something is missing that most commands need.")

    /// One thing that was looked at.
    struct Finding: Encodable {
        enum State: String, Encodable {
            case ok
            /// Absent, and some commands do without.
            case absent
            case missing = "MISSING"
        }

        var name: String
        var state: State
        var detail: String
    }

    @Flag(name: .customLong("json"), help: "Print JSON, one line a finding.")
    var isJSON = false

    package init() {}

    package func run() throws {
        let findings = Self.compute + Self.pictures + [Self.scenes, Self.model]
        if isJSON {
            for finding in findings { try Terminal.write(JSONText.line(finding)) }
        } else {
            var table = Table([("thing", .left), ("state", .left), ("detail", .left)], indentation: 0)
            for finding in findings { table.add([finding.name, finding.state.rawValue, finding.detail]) }
            try Terminal.write(table.lines.joined(separator: "\n"))
        }
        if findings.contains(where: { $0.state == .missing }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private static var compute: [Finding] {
        let gpus = [Device.Kind.cuda, .mps].map { (Device($0).description, Device.count($0)) }.filter { $0.1 > 0 }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return [
            Finding(name: "libtorch", state: .ok, detail: Runtime.version),
            Finding(
                name: "GPU", state: gpus.isEmpty ? .absent : .ok,
                detail: gpus.isEmpty
                    ? "none that this libtorch can use; the CPU does the work"
                    : gpus.map { "\($0.1) x \($0.0)" }.joined(separator: ", ")),
            Finding(
                name: "CPU", state: .ok,
                detail:
                    "\(cores) cores, \(Quantity.bytes(Int(clamping: ProcessInfo.processInfo.physicalMemory))) of memory"
            ),
        ]
    }

    private static var pictures: [Finding] {
        let read = ImageFormat.allCases.filter { ImagingSupport.reads($0) }
        let unread = ImageFormat.allCases.filter { !ImagingSupport.reads($0) }
        let isUsable = [ImageFormat.jpeg, .png].allSatisfy { ImagingSupport.reads($0) && ImagingSupport.writes($0) }
        let names = { (formats: [ImageFormat]) in formats.map(\.name).joined(separator: " ") }
        return [
            Finding(
                name: "libvips", state: isUsable ? .ok : .missing,
                detail: "\(ImagingSupport.version), reads \(names(read))"
                    + (unread.isEmpty ? "" : ", not \(names(unread))")),
            Finding(
                name: "fonts", state: ImagingSupport.hasFont ? .ok : .missing,
                detail: ImagingSupport.hasFont
                    ? "labels can be drawn" : "labels are drawn as empty boxes; apt-get install fonts-dejavu-core"),
        ]
    }

    private static var scenes: Finding {
        let packages = AssetLocations.debian.missingPackages
        return Finding(
            name: "scene assets", state: packages.isEmpty ? .ok : .absent,
            detail: packages.isEmpty
                ? "sprites and backgrounds are there"
                : "'chatrex scenes' and training need: apt-get install \(packages.joined(separator: " "))")
    }

    private static var model: Finding {
        let name = "model '\(ModelFolder.builtInName)'"
        do {
            let summary = try ModelSummary(of: ModelFolder.find().url.path)
            return Finding(
                name: name, state: summary.problems.isEmpty ? .ok : .missing,
                detail: ([summary.path] + summary.problems).joined(separator: "; "))
        } catch {
            return Finding(name: name, state: .missing, detail: ExitStatus.message(error))
        }
    }
}
