import Boxes
import Imaging
import Scenes
import Testing

@Suite(.enabled(if: TestWorld.isAvailable))
struct GeneratorTests {
    @Test func aSeedGivesTheSameSceneOnAnyThread() async throws {
        let generator = try TestWorld.generator(), again = try TestWorld.generator()
        let serial = (0..<6).map { generator.scene(seed: $0) }
        let concurrent = await withTaskGroup(of: Scene.self) { group in
            for seed in 0..<6 { group.addTask { again.scene(seed: UInt64(seed)) } }
            return await group.reduce(into: [UInt64: Scene]()) { $0[$1.seed] = $1 }
        }
        for scene in serial {
            let twin = try #require(concurrent[scene.seed])
            #expect(twin.image == scene.image)
            #expect(twin.objects.map(\.box) == scene.objects.map(\.box))
            #expect(twin.detailedCaption == scene.detailedCaption)
            #expect(twin.questions == scene.questions)
        }
        #expect(Set(serial.map(\.image.pixels)).count == serial.count)
    }

    @Test func splitsShareNeitherNamesNorScenes() throws {
        let training = try TestWorld.generator(), validation = try TestWorld.generator { $0.split = .validation }
        let heldOut = try TestWorld.generator { $0.split = .heldOut }
        #expect(Set(training.vocabulary.map(\.name)).isDisjoint(with: heldOut.vocabulary.map(\.name)))
        for seed in UInt64(0)..<8 {
            #expect(training.scene(seed: seed).image != validation.scene(seed: seed).image)
            let names = heldOut.scene(seed: seed).objects.map(\.category.isHeldOut)
            #expect(names.allSatisfy { $0 })
        }
    }

    @Test func aBoxIsTightAroundWhatDiffersFromThePlainBackground() throws {
        let generator = try TestWorld.generator {
            $0.objectCount = 1...1
            $0.backgrounds = [.plain]
            $0.jitter = 0
            $0.shadowRate = 0
            $0.occlusionLimit = 0
        }
        var checked = 0
        for seed in UInt64(0)..<30 {
            let scene = generator.scene(seed: seed)
            let object = try #require(scene.objects.first)
            guard let ink = Self.ink(in: scene.image) else { continue }
            // Soft edges count for the ink before they count for the object; ink like the background does not show.
            #expect(ink.x1 <= object.box.x1 + 2 && ink.y1 <= object.box.y1 + 2)
            #expect(ink.x1 >= object.box.x1 - 4 && ink.y1 >= object.box.y1 - 4)
            #expect(ink.x2 <= object.box.x2 + 4 && ink.y2 <= object.box.y2 + 4)
            #expect(ink.x2 >= object.box.x2 - 2 && ink.y2 >= object.box.y2 - 2)
            checked += 1
        }
        #expect(checked > 20)
    }

    /// Bounds of the pixels that differ from the first one; nil where an object has much of the background's colour.
    private static func ink(in image: Image) -> Box? {
        let background = image.pixels.prefix(3).map(Int.init)
        var box: Box?, count = 0
        for y in 0..<image.height {
            for x in 0..<image.width {
                let start = (y * image.width + x) * 3
                let difference = (0..<3).map { abs(Int(image.pixels[start + $0]) - background[$0]) }.max() ?? 0
                guard difference > 12 else { continue }
                let pixel = Box(x: Double(x), y: Double(y), width: 1, height: 1)
                box = box?.enclosing(pixel) ?? pixel
                count += 1
            }
        }
        guard let box, box.width > 16, box.height > 16 else { return nil }
        return background.max() ?? 0 < 235 && background.min() ?? 0 > 40 ? box : nil
    }

    @Test func objectsLieInsideTheImageAndStayVisible() throws {
        let generator = try TestWorld.generator { $0.variesAspect = true }
        for seed in UInt64(0)..<40 {
            let scene = generator.scene(seed: seed)
            let image = Box(x1: 0, y1: 0, x2: Double(scene.image.width), y2: Double(scene.image.height))
            #expect(max(image.width, image.height) == 384)
            #expect((0.74...1.34).contains(image.width / image.height))
            for (index, object) in scene.objects.enumerated() {
                #expect(object.id == index)
                #expect(object.box.enclosing(image) == image)
                #expect(object.visibleShare >= 1 - generator.configuration.occlusionLimit && object.visibleShare <= 1)
                #expect(object.visibleArea > 0 && Double(object.visibleArea) <= object.box.area)
                #expect(object.pieces.allSatisfy { $0.enclosing(object.box) == object.box })
            }
        }
    }

    @Test func aThingInPiecesHasABoxForEach() throws {
        let generator = try TestWorld.generator {
            $0.categoryNames = ["bikini"]
            $0.objectCount = 1...1
        }
        let pieces = (0..<20).map { generator.scene(seed: $0).objects.first?.pieces.count ?? 0 }
        #expect(pieces.contains(2))
    }

    @Test func groupsAreCloseAndDivideCoarseFromFine() throws {
        var groupCount = 0
        for scene in try TestWorld.busyScenes(60) {
            for group in scene.groups {
                groupCount += 1
                let members = group.memberIDs.map { scene.objects[$0] }
                #expect(members.count >= 3)
                #expect(members.allSatisfy { $0.category == group.category && $0.groupID == group.id })
                #expect(members.allSatisfy { $0.box.enclosing(group.box) == group.box })
            }
            let grouped = scene.groups.reduce(0) { $0 + $1.memberIDs.count }
            let pieces = scene.objects.reduce(0) { $0 + $1.pieces.count }
            #expect(scene.boxes(.fine).count == scene.objects.count + pieces)
            #expect(scene.boxes(.coarse).count == scene.objects.count - grouped + scene.groups.count)
        }
        #expect(groupCount > 5)
    }

    @Test func aNameThatFitsTheOtherTooNeverSharesItsScene() throws {
        let pairs = [("bird", "penguin"), ("hat", "crown"), ("flower", "rose"), ("truck", "fire truck")]
        for scene in try TestWorld.busyScenes(80) {
            for (general, special) in pairs {
                #expect(scene.counts[general] == nil || scene.counts[special] == nil)
            }
        }
    }

    @Test func cropsAreRepeatableSquaresOfTheirCategory() throws {
        let generator = try TestWorld.generator()
        var names: Set<String> = []
        for seed in UInt64(0)..<40 {
            let crop = generator.crop(seed: seed)
            #expect(crop.image.width == 96 && crop.image.height == 96)
            #expect(crop.image == generator.crop(seed: seed).image)
            names.insert(crop.category.name)
        }
        #expect(names.count > 12)
        #expect(generator.crop(seed: 1, side: -5).image.width == 16)
    }

    @Test(arguments: [
        Variation("nothing") { $0.objectCount = 0...0 },
        Variation("a crowd") { $0.objectCount = 100...100 },
        Variation("a strip") { ($0.width, $0.height) = (1000, 32) },
        Variation("a dot") { ($0.width, $0.height) = (32, 32) },
        Variation("giants") { $0.objectSize = 1...1 },
        Variation("no occlusion") { ($0.occlusionLimit, $0.objectCount) = (0, 20...20) },
        Variation("wild") { ($0.jitter, $0.maximumRotation, $0.occlusionLimit) = (3, 180, 0.99) },
        Variation("photographs without any") { $0.backgrounds = [.photo] },
        Variation("one name") { ($0.categoryNames, $0.objectCount) = (["bus"], 12...12) },
        Variation("no chance") { ($0.groupRate, $0.countingRate, $0.themeRate, $0.shadowRate) = (0, 0, 0, 0) },
        Variation("always") { ($0.groupRate, $0.countingRate, $0.themeRate, $0.shadowRate) = (1, 1, 1, 1) },
    ])
    func anOddConfigurationStillMakesScenes(variation: Variation) throws {
        let generator = try TestWorld.generator(variation.change)
        for seed in [0, 1, 2, UInt64.max] {
            let scene = generator.scene(seed: seed)
            #expect(scene.image.width == generator.configuration.width)
            #expect(scene.objects.count <= generator.configuration.objectCount.upperBound)
            let record = SceneRecord(scene, file: "x.png")
            #expect(record.objects.count == scene.objects.count)
        }
    }

    @Test(arguments: [
        Variation("width") { $0.width = 0 }, Variation("height") { $0.height = 1 << 40 },
        Variation("objectCount") { $0.objectCount = -1...3 },
        Variation("objectSize") { $0.objectSize = 0...0.5 }, Variation("occlusionLimit") { $0.occlusionLimit = .nan },
        Variation("backgrounds") { $0.backgrounds = [] }, Variation("jitter") { $0.jitter = .infinity },
        Variation("maximumRotation") { $0.maximumRotation = 181 }, Variation("groupRate") { $0.groupRate = 2 },
        Variation("categoryNames") { $0.categoryNames = ["nothing of the kind"] },
    ])
    func anImpossibleSettingIsNamed(variation: Variation) throws {
        do {
            _ = try TestWorld.generator(variation.change)
            Issue.record("\(variation) was accepted")
        } catch ScenesError.invalidConfiguration(let setting, _) {
            #expect(setting == variation.description)
        }
    }
}

/// A change of the configuration, with a name for reports.
struct Variation: Sendable, CustomStringConvertible {
    let description: String
    let change: @Sendable (inout SceneConfiguration) -> Void

    init(_ description: String, _ change: @escaping @Sendable (inout SceneConfiguration) -> Void) {
        self.description = description
        self.change = change
    }
}

@Suite struct AssetTests {
    @Test func missingAssetsNameThePackageToInstall() {
        var locations = AssetLocations.debian
        locations.stamps = "/nowhere/stamps"
        #expect(
            throws: ScenesError.missingAssets(
                what: "Stamps are", path: "/nowhere/stamps", packages: ["tuxpaint-stamps-default"])
        ) {
            try SceneAssets(locations: locations)
        }
    }

    @Test(.enabled(if: TestWorld.isAvailable)) func aFileThatIsNoFontIsRefused() {
        var locations = AssetLocations.debian
        locations.emojiFont = #filePath
        #expect {
            try SceneAssets(locations: locations)
        } throws: { error in
            if case ScenesError.unusableAsset(let path, _) = error { path == #filePath } else { false }
        }
    }

    @Test(.enabled(if: TestWorld.isAvailable)) func backgroundsThatAreMissingNameTheirPackage() {
        var locations = AssetLocations.debian
        locations.gnomeBackgrounds = "/nowhere"
        #expect {
            try SceneAssets(locations: locations, catalogue: Catalogue(names: ["bus"]))
        } throws: { error in
            if case ScenesError.missingAssets(_, _, let packages) = error {
                packages == ["gnome-backgrounds"]
            } else {
                false
            }
        }
    }

    @Test(.enabled(if: TestWorld.isAvailable)) func spritesKnowTheirColors() throws {
        let assets = try TestWorld.assets()
        let colors = Dictionary(
            uniqueKeysWithValues: assets.sprites.map { ($0.source.name, $0.colors.first?.color) })
        #expect(colors["U+1F34F"] == .green)
        #expect(colors["U+1F34E"] == .red)
        #expect(colors["U+1F499"] == .blue)
        #expect(colors["U+1F49B"] == .yellow)
        #expect(colors["U+1F49C"] == .purple)
        #expect(colors["U+1F5A4"] == .black)
        #expect(colors["U+1F9E1"] == .orange)
    }
}
