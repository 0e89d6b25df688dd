import Foundation
import Imaging
import Testing

extension ProcessTests {
    /// Commands about models, scenes and the machine.
    @Suite struct MachineTests {
        @Test("A complete model is shown with its parts, and its proposal network after it")
        func inspection() throws {
            let folder = try TinyModel.folder.get()
            let outcome = try Tool.run(["model", "inspect", folder.path])
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
            for text in [
                "ChatRex model", "language model", "CLIP", "ConvNeXt", "object projector", "F32", "proposal network",
                "complete",
            ] {
                #expect(outcome.output.contains(text), "\(text): \(outcome)")
            }
            let json = try Tool.run(["model", "inspect", folder.path, "--json"])
            #expect(try json.records().map { $0["complete"] as? Bool } == [true, true], "\(json)")
        }

        @Test("What a model lacks is listed, and the command ends with 1")
        func incompleteModel() throws {
            try withTemporaryFolder { folder in
                let copy = folder.appendingPathComponent("model")
                try FileManager.default.copyItem(at: TinyModel.folder.get(), to: copy)
                try FileManager.default.removeItem(at: copy.appendingPathComponent("tokenizer.json"))
                let config = copy.appendingPathComponent("upn/config.json")
                let text = try String(contentsOf: config, encoding: .utf8)
                try text.replacingOccurrences(of: "\"enc_layers\" : 1", with: "\"enc_layers\" : 2").write(
                    to: config, atomically: true, encoding: .utf8)
                let outcome = try Tool.run(["model", "inspect", copy.path])
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.output.contains("tokenizer.json is missing"), "\(outcome)")
                #expect(outcome.output.contains("transformer.encoder.layers.1."), "\(outcome)")
            }
        }

        @Test("Built-in models are found where CHATREX_MODELS says")
        func builtInModels() throws {
            try withTemporaryFolder { folder in
                try FileManager.default.copyItem(
                    at: TinyModel.folder.get(), to: folder.appendingPathComponent("midget"))
                let environment = ["CHATREX_MODELS": folder.path]
                let list = try Tool.run(["model", "list"], environment: environment)
                #expect(list.status == 0 && list.output.contains("midget"), "\(list)")
                let inspected = try Tool.run(["model", "inspect", "midget"], environment: environment)
                #expect(inspected.status == 0, "\(inspected)")
            }
        }

        @Test("The doctor names what there is")
        func doctor() throws {
            let outcome = try Tool.run(["doctor", "--json"])
            let findings = try outcome.records()
            #expect(findings.map { $0["name"] as? String }.contains("libtorch"), "\(outcome)")
            let isMissing = findings.contains { $0["state"] as? String == "MISSING" }
            #expect(outcome.status == (isMissing ? 1 : 0), "\(outcome)")
        }

        @Test("Scenes appear with their annotations, the same for the same seed, and only in a new folder")
        func scenes() throws {
            try withTemporaryFolder { folder in
                let arguments = [
                    "--count", "3", "--seed", "5", "--size", "96x64", "--sheet", "2", "--split", "heldOut",
                ]
                for name in ["one", "two"] {
                    let outcome = try Tool.run(["scenes", "--out", name] + arguments, in: folder)
                    if outcome.errors.contains("apt-get install") { return }
                    #expect(outcome.status == 0 && outcome.output.hasPrefix("3 scenes of "), "\(outcome)")
                    #expect(
                        try names(in: folder.appendingPathComponent(name)) == [
                            "annotations.json", "annotations.jsonl", "pictures", "scenes.jsonl", "sheet.jpg",
                        ])
                }
                let records = try ["one", "two"].map {
                    try Data(contentsOf: folder.appendingPathComponent($0 + "/scenes.jsonl"))
                }
                #expect(records[0] == records[1])
                let again = try Tool.run(["scenes", "--out", "one"] + arguments, in: folder)
                #expect(again.status == 2 && again.errors.contains("not empty"), "\(again)")
            }
        }

        @Test("Ctrl-C ends the making of scenes with 130 and leaves nothing behind")
        func interruption() throws {
            try withTemporaryFolder { folder in
                let run = try Tool.Run(["scenes", "--out", "many", "--count", "100000", "--size", "64"], in: folder)
                let deadline = Date().addingTimeInterval(120)
                // Wait for the first pictures.
                while run.process.isRunning, Date() < deadline, try names(in: folder).isEmpty {
                    Thread.sleep(forTimeInterval: 0.05)
                }
                run.process.interrupt()
                let outcome = try run.wait()
                if outcome.errors.contains("apt-get install") { return }
                #expect(outcome.status == 130, "\(outcome)")
                #expect(try names(in: folder).isEmpty)
            }
        }
    }
}
