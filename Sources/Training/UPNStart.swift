import Checkpoints
import Foundation
import Torch
import TorchNN
import UPN
import VisionEncoders

extension UniversalProposalNetwork {
    /// Takes weights over: of a whole network, or of a pretrained Swin backbone under Hugging Face's names, whose maps' norms stay
    /// fresh.
    ///
    /// - Parameter url: a folder, a run's export, a `.safetensors` or a `.pth` file
    /// - Throws: `CheckpointError`; `TrainingError.invalidSetting` naming what is missing or of another size.
    func takeWeights(from url: URL) throws {
        let archive = try TensorArchives.open(at: url)
        let names = archive.tensorNames
        if names.contains("transformer.level_embed") {
            let rename = UPNCheckpointKeys.rename(names)
            try take(weights.entries.map { ($0, rename($0.name)) }, from: archive, at: url)
            return
        }
        let prefix = names.contains { $0.hasPrefix("swin.") } ? "swin." : ""
        let joined = JoinedTensors(archive, joining: SwinCheckpointKeys.joined, below: prefix)
        let path = backbone.weights.path + "."
        let entries = backbone.weights.entries.map { entry in
            (entry, prefix + SwinCheckpointKeys.rename(String(entry.name.dropFirst(path.count))))
        }
        try take(entries.filter { !$1.contains("hidden_states_norms") }, from: joined, at: url)
    }

    private func take(_ entries: [(ParameterStore.Entry, String)], from source: any TensorSource, at url: URL) throws {
        // Everything fits, or nothing is taken.
        let misfits = entries.filter { source.shape(of: $1) != $0.tensor.shape }
        if let (entry, name) = misfits.first {
            let found = source.shape(of: name).map { "\($0)" } ?? "missing"
            throw TrainingError.invalidSetting(
                name: "init",
                reason: """
                    \(url.path) does not fit the recipe's network in \(misfits.count) of \(entries.count) tensors; the first is \
                    \(name): \(found) instead of \(entry.tensor.shape)
                    """)
        }
        try withoutGradients {
            for (entry, name) in entries { try entry.tensor.copy(from: source.tensor(named: name)) }
        }
    }
}
