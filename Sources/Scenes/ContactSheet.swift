import Boxes
import Imaging

/// Scenes side by side with their annotations, for people to look at.
public enum ContactSheet {
    /// Draws the scenes with their boxes in rows; groups are drawn as coarse boxes around their members.
    ///
    /// - Parameter cell: side in pixels of the square that each scene gets, held within 32...2048.
    /// - Throws: `ScenesError.invalidConfiguration` where there is no scene or too many to fit a picture.
    public static func image(of scenes: [Scene], columns: Int = 4, cell: Int = 384) throws -> Image {
        let columns = max(1, min(columns, scenes.count)), cell = max(32, min(2048, cell))
        guard !scenes.isEmpty, scenes.count <= 4096 else {
            throw ScenesError.invalidConfiguration(
                setting: "scenes", reason: "\(scenes.count) scenes do not make a contact sheet")
        }
        let rows = (scenes.count + columns - 1) / columns, gap = 4
        var sheet = try Image(
            width: columns * (cell + gap) - gap, height: rows * (cell + gap) - gap,
            filledWith: Color(red: 32, green: 32, blue: 36))
        for (index, scene) in scenes.enumerated() {
            let tile = try fitted(annotated(scene), cell)
            copy(tile, to: &sheet, x: index % columns * (cell + gap), y: index / columns * (cell + gap))
        }
        return sheet
    }

    /// The scene's picture with its boxes and category names.
    public static func annotated(_ scene: Scene) -> Image {
        let objects = scene.objects.map { annotation($0.box, $0.category.name) }
        let groups = scene.groups.map { annotation($0.box, $0.phrase) }
        return scene.image.draw(groups + objects)
    }

    private static func annotation(_ box: Box, _ label: String) -> Annotation {
        Annotation(x1: box.x1, y1: box.y1, x2: box.x2, y2: box.y2, label: label)
    }

    /// The picture with its larger side at `cell` pixels.
    private static func fitted(_ image: Image, _ cell: Int) throws -> Image {
        let long = max(image.width, image.height)
        guard long != cell else { return image }
        return try image.resized(
            width: max(1, image.width * cell / long), height: max(1, image.height * cell / long), filter: .bilinear)
    }

    private static func copy(_ tile: Image, to sheet: inout Image, x: Int, y: Int) {
        for row in 0..<min(tile.height, sheet.height - y) {
            let source = row * tile.width * 3, target = ((y + row) * sheet.width + x) * 3
            let count = min(tile.width, sheet.width - x) * 3
            sheet.pixels.replaceSubrange(target..<target + count, with: tile.pixels[source..<source + count])
        }
    }
}
