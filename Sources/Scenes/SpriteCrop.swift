import Imaging

/// One sprite in close-up, for learning what things look like before learning where they are.
public struct SpriteCrop: Sendable {
    public let image: Image
    public let category: SceneCategory
    /// Colours of the sprite by their share, largest first.
    public let colors: [ColorShare]
    /// The sprite, an index into `SceneAssets.sprites`.
    public let spriteID: Int
}

extension SceneGenerator {
    /// A square picture of one object: another background, light, pose and size for every seed, in a quarter of them with
    /// parts hidden by another object.
    ///
    /// Crops draw categories evenly, and their seeds share nothing with those of scenes.
    /// - Parameter side: pixels, held within 16...1024.
    public func crop(seed: UInt64, side: Int = 96) -> SpriteCrop {
        var random = SceneRandom(seed: seed, stream: "crop/\(configuration.split.rawValue)")
        // A vocabulary is never empty, and each of its categories has a sprite.
        let category = vocabulary[random.int(below: vocabulary.count)]
        return crop(of: category, side: max(16, min(1024, side)), random: &random)
    }

    private func crop(of category: SceneCategory, side: Int, random: inout SceneRandom) -> SpriteCrop {
        let choices = assets.spritesOfCategory[category.id]
        let sprite = assets.sprites[choices[random.int(below: choices.count)]]
        var canvas = Canvas(width: side, height: side)
        canvas.fill(
            random.pick(configuration.backgrounds) ?? .plain, photo: random.pick(photos)?.image, random: &random)
        let longSide = Double(side) * random.double(0.6...1.1)
        if let patch = Patch(sprite: sprite, pose: pose(of: sprite, longSide: longSide, &random)) {
            let x = place(patch.bounds.x1, patch.bounds.x2, side, &random)
            let y = place(patch.bounds.y1, patch.bounds.y2, side, &random)
            if random.chance(configuration.shadowRate) {
                canvas.drawShadow(
                    of: patch, x: x + random.int(-3...3), y: y + random.int(1...5), radius: random.int(1...4),
                    strength: random.double(0.2...0.5))
            }
            canvas.draw(patch, x: x, y: y, object: 0)
            if random.chance(0.25) { hideSome(of: patch, x: x, y: y, on: &canvas, &random) }
        }
        canvas.grade(.random(&random, strength: configuration.jitter), seed: random.next())
        return SpriteCrop(image: canvas.image, category: category, colors: sprite.colors, spriteID: sprite.id)
    }

    private func pose(of sprite: Sprite, longSide: Double, _ random: inout SceneRandom) -> Pose {
        let turn = 1.5 * configuration.maximumRotation * random.unit() * random.sign()
        let mirrors = configuration.mirrorsObjects && assets.catalogue.categories[sprite.categoryID].isMirrorable
        return Pose(
            longSide: longSide, angle: min(180, max(-180, turn)) * Double.pi / 180,
            isMirrored: mirrors && random.chance(0.5), tone: .random(&random, strength: configuration.jitter))
    }

    /// A corner that leaves at most a tenth of the object outside.
    private func place(_ low: Int, _ high: Int, _ side: Int, _ random: inout SceneRandom) -> Int {
        let slack = side - (high - low), spare = (high - low) / 10
        return slack < 0 ? slack / 2 - low : random.int(-spare...slack + spare) - low
    }

    /// Puts another sprite over an edge of the object, as long as that hides no more than the configuration allows.
    private func hideSome(of patch: Patch, x: Int, y: Int, on canvas: inout Canvas, _ random: inout SceneRandom) {
        let other = assets.sprites[random.int(below: assets.sprites.count)]
        let size = 0.5 * Double(max(patch.bounds.width, patch.bounds.height))
        guard let cover = Patch(sprite: other, pose: pose(of: other, longSide: size, &random)) else { return }
        let corners = [
            (patch.bounds.x1, patch.bounds.y1), (patch.bounds.x2, patch.bounds.y1),
            (patch.bounds.x1, patch.bounds.y2), (patch.bounds.x2, patch.bounds.y2),
        ]
        let corner = corners[random.int(below: 4)]
        let left = x + corner.0 - cover.width / 2, top = y + corner.1 - cover.height / 2
        let hidden = canvas.coverage(of: cover, x: left, y: top, objectCount: 1).hidden[0]
        if Double(hidden) <= configuration.occlusionLimit * Double(patch.area) {
            canvas.draw(cover, x: left, y: top, object: 1)
        }
    }
}
