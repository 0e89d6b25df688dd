// Attention between picture and text, in both directions by one matrix of scores (Liu et al. 2023, arXiv 2303.05499, section 3.1).

import Torch
import TorchNN

/// Lets picture and text read each other. Names: `layer_norm_vision`, `layer_norm_text`, `attn`, `vision_param`, `text_param`.
///
/// A text has few tokens and a picture tens of thousands, so nothing wide is computed for each of the picture's: its projections move
/// to the text's side of every product. With weight W and bias b, (x W^T + b) k is x (W^T k) + b k; and a mean of projected values is
/// the projected mean.
final class FusionLayer: Module {
    let pictureNorm: LayerNorm, textNorm: LayerNorm
    let keys: Linear, textValues: Linear, textOutput: Linear
    let queryWeight: Tensor, queryBias: Tensor
    let valueWeight: Tensor, valueBias: Tensor
    let outputWeight: Tensor, outputBias: Tensor
    let pictureScale: Tensor, textScale: Tensor
    private let headCount: Int, headWidth: Int

    init(_ configuration: GroundingDINOConfiguration, _ weights: Weights) throws {
        let (width, inner) = (configuration.width, configuration.encoderHiddenWidth / 2)
        headCount = configuration.encoderHeadCount / 2
        headWidth = inner / headCount
        let attention = weights / "attn"
        pictureNorm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "layer_norm_vision")
        textNorm = try LayerNorm(width, epsilon: configuration.normEpsilon, weights / "layer_norm_text")
        keys = try Linear(width, inner, attention / "text_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        textValues = try Linear(
            width, inner, attention / "values_text_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        textOutput = try Linear(
            inner, width, attention / "out_text_proj", initializer: .xavierUniform, biasInitializer: .zeros)
        queryWeight = try (attention / "vision_proj").parameter("weight", [inner, width], .xavierUniform)
        queryBias = try (attention / "vision_proj").parameter("bias", [inner], .zeros)
        valueWeight = try (attention / "values_vision_proj").parameter("weight", [inner, width], .xavierUniform)
        valueBias = try (attention / "values_vision_proj").parameter("bias", [inner], .zeros)
        outputWeight = try (attention / "out_vision_proj").parameter("weight", [width, inner], .xavierUniform)
        outputBias = try (attention / "out_vision_proj").parameter("bias", [width], .zeros)
        pictureScale = try weights.parameter("vision_param", [width], .constant(1e-4))
        textScale = try weights.parameter("text_param", [width], .constant(1e-4))
        super.init(weights)
    }

    /// - Parameters:
    ///   - picture: [B, S, C]
    ///   - padding: of the picture, true = padding, [B, S, 1]
    ///   - text: [B, T, C]
    ///   - isToken: of the text, false = padding, [B, T]
    /// - Returns: both with what they read from each other
    func callAsFunction(picture: Tensor, padding: Tensor, text: Tensor, isToken: Tensor) throws -> (
        picture: Tensor, text: Tensor
    ) {
        // What is read adds to the normed input, as in the released models.
        let x = try pictureNorm(picture), words = try textNorm(text)
        let (b, s, c) = try x.shape3()
        let t = words.size(1), columns = headCount * t
        func heads(_ y: Tensor) throws -> Tensor { try y.reshaped(b, t, headCount, headWidth).transposed(1, 2) }

        let scaledKeys = try heads(keys(words)) * (1 / Double(headWidth).squareRoot())  // [B, H, T, D]
        let folded = try scaledKeys.matmul(queryWeight.reshaped(headCount, headWidth, c)).reshaped(b, columns, c)
        let offsets = try scaledKeys.matmul(queryBias.reshaped(headCount, headWidth, 1)).reshaped(b, 1, columns)
        let scores = try x.matmul(folded.transposed(1, 2)) + offsets  // [B, S, H T]

        let hidden = try isToken.logicalNot().unsqueezed(1).unsqueezed(1)  // [B, 1, 1, T]
        let overWords = try scores.reshaped(b, s, headCount, t).filled(where: hidden, with: -.infinity)
            .softmax(over: -1).reshaped(b, s, columns)
        let outputHeads = try outputWeight.reshaped(c, headCount, headWidth).permuted(1, 2, 0)  // [H, D, C]
        let projectedValues = try heads(textValues(words)).matmul(outputHeads).reshaped(b, columns, c)
        let fromText = try overWords.matmul(projectedValues) + outputBias  // [B, S, C]

        let overPicture = try scores.filled(where: padding, with: -.infinity).softmax(over: 1).transposed(1, 2)
        let means = try overPicture.matmul(x).reshaped(b, headCount, t, c)
        let valueHeads = try valueWeight.reshaped(headCount, headWidth, c).transposed(1, 2)  // [H, C, D]
        let fromPicture = try (means.matmul(valueHeads) + valueBias.reshaped(headCount, 1, headWidth))
            .transposed(1, 2).reshaped(b, t, headCount * headWidth)

        return (try x + fromText * pictureScale, try words + textOutput(fromPicture) * textScale)
    }
}
