// What a batch keeps for its backward pass, reckoned from sizes alone: nothing is allocated. Counted are the numbers that operators
// remember; what they need for a moment is not. Good to about a third, which is what choosing a batch size takes.

import ChatRex
import Foundation
import LanguageModels
import UPN
import VisionEncoders

enum ActivationEstimate {
    /// Numbers that `layers` equal layers keep.
    /// - Parameters:
    ///   - input: numbers of a layer's input
    ///   - inside: numbers that it keeps besides
    private static func kept(_ layers: Int, input: Double, inside: Double, _ recomputes: Bool) -> Double {
        recomputes ? Double(layers) * input + inside : Double(layers) * (input + inside)
    }

    /// Bytes of a number on average: products work in the precision, norms and sums in float32.
    private static func bytes(_ precision: TrainingOptions.Precision) -> Double { precision == .float32 ? 4 : 2.5 }

    /// Bytes of a batch of a proposal network.
    static func bytes(_ recipe: UPNRecipe) -> Int {
        let network = recipe.network, side = recipe.phases.flatMap(\.sides).max() ?? 0
        let limit = recipe.augmentation.longSideLimit
        let pixels = Double(side) * Double(limit > 0 ? limit : side)
        let recomputes = recipe.recomputesActivations
        var numbers = 0.0
        if recipe.backboneRate > 0 { numbers += swin(network.backbone, pixels: pixels, recomputes) }
        let width = Double(network.width), hidden = Double(network.hiddenWidth)
        let last = Double(network.backbone.returnedStages.last ?? 0)
        let cells = { (stage: Double) in pixels / 16 / pow(4, stage) }
        let returned = network.backbone.returnedStages.map { cells(Double($0)) }
        let further = (returned.count..<network.levelCount).map { cells(last + Double($0 - returned.count + 1)) }
        let tokens = (returned + further).reduce(0, +)
        let samples = Double(network.headCount * network.levelCount * network.pointCount)
        // Projection and norm of each level; positions; the selection's heads.
        numbers += tokens * width * (2 + 1 + 8)
        numbers += kept(
            network.encoderLayerCount, input: tokens * width,
            inside: tokens * (8 * width + 2 * hidden + 7 * samples), recomputes)
        let queries = Double(network.queryCount + 2 * recipe.denoising.count)
        numbers += kept(
            network.decoderLayerCount, input: queries * width * 3,
            inside: queries * (16 * width + 2 * hidden + 7 * samples) + tokens * width * 2, recomputes)
        return Int(numbers * Double(recipe.batchSize) * bytes(recipe.options.precision))
    }

    /// Numbers that a backbone keeps of one picture.
    private static func swin(_ swin: SwinConfiguration, pixels: Double, _ recomputes: Bool) -> Double {
        swin.depths.enumerated().reduce(0) { sum, stage in
            let width = Double(swin.width(of: stage.offset))
            let cells = pixels / Double(swin.patchSize * swin.patchSize) / pow(4, Double(stage.offset))
            let inside = cells * width * (12 + 2 * swin.mlpRatio)
            return sum + kept(stage.element, input: cells * width, inside: inside, recomputes) + cells * width * 5
        }
    }

    /// Bytes of a batch of exchanges.
    static func bytes(
        _ options: ConversationOptions, _ configuration: ChatRexConfiguration, _ precision: TrainingOptions.Precision
    ) -> Int {
        let language = configuration.language, recomputes = options.recomputesActivations
        let width = Double(language.width), hidden = Double(language.hiddenWidth)
        let keys = Double(language.keyValueHeadCount * language.headWidth)
        let positions = Double(options.sequenceLimit)
        // A linear layer whose weight rests does not keep its input.
        let isTrained = options.trainsLanguageModel && !options.lora.isOn
        let inside = isTrained ? 7 * width + 4 * keys + 4 * hidden : 5 * width + 4 * keys + 3 * hidden
        let updates =
            options.lora.isOn ? Double(options.lora.targets.count) * width * (options.lora.dropout > 0 ? 2 : 1) : 0
        var numbers = kept(
            language.layerCount, input: positions * width, inside: positions * (inside + updates), recomputes)
        // A third of the positions are answers; their logits are float32 whatever the precision.
        let rows = recomputes ? min(positions / 3, Double(ConversationTask.answersAtOnce)) : positions / 3
        let logits = rows * Double(language.vocabularySize) * 3 * 4
        if options.encoderRate > 0 {
            let clip = configuration.clip, convNeXt = configuration.convNeXt
            let patches = Double(clip.gridSide * clip.gridSide + 1), channels = Double(clip.width)
            numbers += kept(
                clip.layerCount, input: patches * channels,
                inside: patches * (8 * channels + 3 * Double(clip.hiddenWidth)), recomputes)
            for (stage, (width, depth)) in zip(convNeXt.widths, convNeXt.depths).enumerated() {
                let side = Double(configuration.highResolution / (4 << stage))
                let map = side * side * Double(width)
                numbers += kept(depth, input: map, inside: map * 12, recomputes) + 3 * map
            }
        }
        let perPicture = numbers * bytes(precision) + (recomputes ? 0 : logits)
        return Int(perPicture * Double(options.batchSize) + (recomputes ? logits : 0))
    }
}
