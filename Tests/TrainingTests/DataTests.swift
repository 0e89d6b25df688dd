import Boxes
import Foundation
import Imaging
import Testing
import Training

/// A picture of one colour with a rectangle of another.
private func picture(_ width: Int, _ height: Int, _ box: PixelRect) throws -> AnnotatedPicture {
    var pixels = [UInt8](repeating: 20, count: width * height * 3)
    for y in box.y..<box.y + box.height {
        for x in box.x..<box.x + box.width {
            for channel in 0..<3 { pixels[(y * width + x) * 3 + channel] = 220 }
        }
    }
    let bounds = Box(x: Double(box.x), y: Double(box.y), width: Double(box.width), height: Double(box.height))
    return AnnotatedPicture(
        image: try Image(width: width, height: height, channels: 3, pixels: pixels),
        boxes: SceneBoxes(fine: [bounds], coarse: [bounds]))
}

/// Around all bright pixels of a picture in a batch, in 0...1 of its sides.
private func brightBox(_ batch: PictureBatch, _ index: Int) -> Box? {
    let size = batch.sizes[index], start = index * batch.width * batch.height * 3
    var found: Box?
    for y in 0..<size.height {
        for x in 0..<size.width where batch.pixels[start + (y * batch.width + x) * 3] > 120 {
            let pixel = Box(x: Double(x), y: Double(y), width: 1, height: 1)
            found = found?.enclosing(pixel) ?? pixel
        }
    }
    return found?.scaled(x: 1 / Double(size.width), y: 1 / Double(size.height))
}

@Suite struct DataTests {
    @Test(arguments: [
        PictureView(region: PixelRect(x: 0, y: 0, width: 100, height: 80), width: 100, height: 80),
        PictureView(region: PixelRect(x: 0, y: 0, width: 100, height: 80), width: 64, height: 48, isMirrored: true),
        PictureView(region: PixelRect(x: 20, y: 10, width: 70, height: 60), width: 112, height: 96),
        PictureView(region: PixelRect(x: 10, y: 15, width: 80, height: 60), width: 40, height: 30, isMirrored: true),
    ])
    func boxesFollowThePixels(_ view: PictureView) throws {
        let source = try picture(100, 80, PixelRect(x: 30, y: 20, width: 25, height: 30))
        var batch = PictureBatch(count: 1, width: 128, height: 128)
        batch.append(source, view)
        let box = try #require(batch.fine[0].first), seen = try #require(brightBox(batch, 0))
        // The seen one is made of whole pixels.
        #expect(box.iou(with: seen) > 0.85)
        // Outside of the picture the canvas is empty.
        #expect(batch.pixels[(127 * 128 + 127) * 3] == 0)
    }

    @Test func anUnchangedViewKeepsEveryPixel() throws {
        let source = try picture(33, 20, PixelRect(x: 5, y: 4, width: 9, height: 7))
        var batch = PictureBatch(count: 1, width: 33, height: 20)
        batch.append(source, PictureView(region: PixelRect(x: 0, y: 0, width: 33, height: 20), width: 33, height: 20))
        #expect(batch.pixels == source.image.pixels)
    }

    @Test func boxesThatAreMostlyCutOffAreDropped() throws {
        let source = try picture(100, 100, PixelRect(x: 0, y: 40, width: 40, height: 20))
        for (left, isKept) in [(10, true), (30, false)] {
            var batch = PictureBatch(count: 1, width: 64, height: 64)
            let region = PixelRect(x: left, y: 0, width: 100 - left, height: 100)
            batch.append(source, PictureView(region: region, width: 64, height: 64))
            #expect(batch.coarse[0].isEmpty == !isKept)
        }
    }

    @Test func batchesDependOnTheirNumberAndSeedAlone() throws {
        let source: SceneLoader.Source = { number in
            try picture(90, 90, PixelRect(x: number % 40, y: 10, width: 30, height: 30))
        }
        var augmentation = PictureAugmentation()
        augmentation.sides = [64, 96]
        func loader(seed: UInt64, threads: Int) -> SceneLoader {
            SceneLoader(source, augmentation: augmentation, batchSize: 3, seed: seed, threads: threads)
        }
        let one = loader(seed: 5, threads: 1)
        let inOrder = try (0..<6).map { try one.batch($0) }
        let late = loader(seed: 5, threads: 2)
        for number in [4, 5, 0, 1] {
            let batch = try late.batch(number)
            #expect(batch.pixels == inOrder[number].pixels)
            #expect(batch.fine == inOrder[number].fine)
        }
        #expect(try loader(seed: 6, threads: 1).batch(0).pixels != inOrder[0].pixels)
    }

    @Test func aFetchersFailureReachesItsUserInOrder() throws {
        struct Broken: Error {}
        let fetcher = Prefetcher(start: 3, threads: 2, depth: 2) { number in
            if number == 5 { throw Broken() }
            return number * number
        }
        #expect(try fetcher.take() == 9)
        #expect(try fetcher.take() == 16)
        #expect(throws: Broken.self) { try fetcher.take() }
        #expect(try fetcher.take() == 36)
        #expect(fetcher.position == 7)
    }
}
