import Boxes
import Imaging
import Training
import UPN
import VisionEncoders

/// A proposal network that learns two squares in seconds.
enum TinyUPN {
    static let recipe: UPNRecipe = {
        var recipe = UPNRecipe()
        recipe.network = UPNConfiguration(
            backbone: SwinConfiguration(
                width: 16, depths: [1, 1, 1], headCounts: [1, 2, 4], windowSize: 4, returnedStages: [1, 2]),
            width: 32, headCount: 4, pointCount: 2, hiddenWidth: 64, levelCount: 3, encoderLayerCount: 1,
            decoderLayerCount: 2, queryCount: 20, groupCount: 8, shortSide: 64, longSide: 64)
        recipe.batchSize = 2
        recipe.denoising = DenoisingConfiguration(count: 8)
        recipe.phases = [.init(end: 1, sides: [64])]
        recipe.options.steps = 60
        recipe.options.learningRate = 2e-3
        recipe.options.warmupSteps = 5
        recipe.options.clipNorm = 1
        recipe.options.averageDecay = 0
        recipe.options.evaluationMinutes = nil
        recipe.options.logSteps = 50
        return recipe
    }()

    /// Two bright squares on a dark ground.
    @Sendable static func picture(_ number: Int) throws -> AnnotatedPicture {
        try squares(number % 2 == 0 ? [(8, 10), (38, 36)] : [(34, 6), (10, 40)])
    }

    /// Bright squares on a dark ground, by their upper left corners.
    static func squares(_ places: some Collection<(Int, Int)>) throws -> AnnotatedPicture {
        var pixels = [UInt8](repeating: 30, count: 64 * 64 * 3)
        for (left, top) in places {
            for y in top..<top + 18 {
                for x in left..<left + 16 { for channel in 0..<3 { pixels[(y * 64 + x) * 3 + channel] = 230 } }
            }
        }
        let boxes = places.map { Box(x: Double($0.0), y: Double($0.1), width: 16, height: 18) }
        return AnnotatedPicture(
            image: try Image(width: 64, height: 64, channels: 3, pixels: pixels),
            boxes: SceneBoxes(fine: boxes, coarse: boxes))
    }
}
