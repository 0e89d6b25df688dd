/// How names of Hugging Face's `SwinBackbone` relate to those of `Swin`.
public enum SwinCheckpointKeys {
    /// Parts of the attention that `Swin` holds as one tensor.
    public static let joined = ["query", "key", "value"]

    /// Ours and theirs.
    private static let table = [
        ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
        ("patch_embed.norm.", "embeddings.norm."),
        (".norm1.", ".layernorm_before."),
        (".attn.qkv.", ".attention.self.{query,key,value}."),
        (".attn.relative_position_bias_table", ".attention.self.relative_position_bias_table"),
        (".attn.proj.", ".attention.output.dense."),
        (".norm2.", ".layernorm_after."),
        (".mlp.fc1.", ".intermediate.dense."),
        (".mlp.fc2.", ".output.dense."),
    ]

    /// The name in a checkpoint for a name of `Swin`, both without what stands before the backbone.
    ///
    /// - Returns: a name with braces, `…{query,key,value}.weight`, where one tensor stands for several.
    public static func rename(_ name: String) -> String {
        // norm{stage}; their stages count from 1.
        if name.hasPrefix("norm"), let dot = name.firstIndex(of: "."), let stage = Int(name[..<dot].dropFirst(4)) {
            return "hidden_states_norms.stage\(stage + 1)" + name[dot...]
        }
        let renamed = table.reduce(name) { $0.replacing($1.0, with: $1.1) }
        return name.hasPrefix("layers.") ? "encoder." + renamed : renamed
    }

    /// Whether a name in a checkpoint is a table that `Swin` computes.
    public static func isRedundant(_ name: String) -> Bool { name.hasSuffix(".relative_position_index") }
}
