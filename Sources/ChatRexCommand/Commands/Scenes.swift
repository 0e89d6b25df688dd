import ArgumentParser
import Foundation
import Imaging
import Scenes

/// Makes annotated pictures.
package struct ScenesCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "scenes",
        abstract: "Make annotated pictures to train and test with.",
        discussion: """
            Puts cut-out animals, food, tools and the like before backgrounds, and writes pictures/, annotations.jsonl (for \
            `chatrex train --data`), annotations.json (COCO) and scenes.jsonl (phrases, captions, relations and questions). The same seed makes the same pictures.

            EXAMPLE
              chatrex scenes --out runs/scenes --count 500 --size 384x288 --split heldOut
            """)

    /// Pixels of a scene, as `384` or `640x480`.
    struct Size: ExpressibleByArgument {
        let width: Int, height: Int

        init?(argument: String) {
            let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(parts.count), let width = parts[0], let height = parts[parts.count - 1] else {
                return nil
            }
            (self.width, self.height) = (width, height)
        }
    }

    @Option(name: .shortAndLong, help: ArgumentHelp("A new or empty folder.", valueName: "folder"))
    var out: String

    @Option(name: .shortAndLong, help: "How many scenes, 1...1000000.")
    var count = 100

    @Option(help: "The seed of the first scene; the others follow.")
    var seed: UInt64 = 0

    @Option(help: "Which names and backgrounds are used.")
    var split = SceneSplit.training

    @Option(help: ArgumentHelp("Pixels, one number or WIDTHxHEIGHT. (default: 384)", valueName: "size"))
    var size: Size?

    @Flag(help: "Vary the aspect between 3:4 and 4:3.")
    var variesAspect = false

    @Option(help: "Fewest objects in a scene.")
    var minObjects = 3

    @Option(help: "Most objects in a scene.")
    var maxObjects = 12

    @Option(help: "How pictures are stored.")
    var format = SceneExporter.PictureFormat.jpeg

    @Option(help: "Draw the first scenes with their boxes on one picture, 0...64.")
    var sheet = 0

    package init() {}

    package mutating func validate() throws {
        if out.isEmpty { throw ValidationError("--out names no place.") }
        if !(1...1_000_000).contains(count) { throw ValidationError("--count must be within 1...1000000.") }
        if !(0...64).contains(sheet) { throw ValidationError("--sheet must be within 0...64.") }
        if minObjects > maxObjects { throw ValidationError("--min-objects must not be above --max-objects.") }
        if seed > UInt64.max - UInt64(count) { throw ValidationError("--seed is too large for \(count) scenes.") }
    }

    package func run() throws {
        Interrupt.install()
        let folder = try NewFolder(out)
        Terminal.showProgress("loading sprites and backgrounds", isLogged: false)
        let generator = try SceneGenerator(configuration: configuration, assets: SceneAssets())
        try folder.fill { temporary in
            try SceneExporter(generator: generator, pictureFormat: format)
                .write(count: count, firstSeed: seed, to: temporary) { written in
                    if Interrupt.isPending { throw CancellationError() }
                    Terminal.showProgress(
                        "scenes \(written)/\(count)", isLogged: written * 10 / count > (written - 1) * 10 / count)
                }
            if sheet > 0 { try writeSheet(generator, to: temporary) }
        }
        try Terminal.write("\(count) scenes of \(generator.vocabulary.count) categories in \(Terminal.printable(out))")
    }

    private var configuration: SceneConfiguration {
        var configuration = SceneConfiguration(split: split)
        if let size { (configuration.width, configuration.height) = (size.width, size.height) }
        configuration.variesAspect = variesAspect
        configuration.objectCount = minObjects...maxObjects
        return configuration
    }

    private func writeSheet(_ generator: SceneGenerator, to folder: URL) throws {
        let scenes = (0..<min(sheet, count)).map { generator.scene(seed: seed + UInt64($0)) }
        try ContactSheet.image(of: scenes).write(to: folder.appendingPathComponent("sheet.jpg").path)
    }
}

extension SceneSplit: ExpressibleByArgument {}
extension SceneExporter.PictureFormat: ExpressibleByArgument {}
