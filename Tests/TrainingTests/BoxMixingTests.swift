import Boxes
import Imaging
import Scenes
import Testing
import Training

@Suite struct BoxMixingTests {
    private func scene() throws -> Scene {
        try SceneGenerator(assets: SceneAssets()).scene(seed: 11)
    }

    @Test func proposalsKeepTheirOrderAndTheFirstGoodOneIsMeant() throws {
        let scene = try scene(), truth = scene.objects[0].box
        func shifted(_ share: Double) -> Box {
            Box(x1: truth.x1 + share * truth.width, y1: truth.y1, x2: truth.x2 + share * truth.width, y2: truth.y2)
        }
        // IoU 0.54, 0.82, 1 and 0.05
        let proposals = [shifted(0.3), shifted(0.1), shifted(0), shifted(0.9)]
        let mixed = BoxMixing.proposals(proposals, for: scene)
        #expect(mixed.boxes == proposals)
        #expect(mixed.boxesOfObject[scene.objects[0].id] == [1, 2, 0])
        #expect(BoxMixing.proposals([shifted(0.3)], for: scene).boxesOfObject[scene.objects[0].id] == [0])
        #expect(BoxMixing.proposals([shifted(0.9)], for: scene).boxesOfObject[scene.objects[0].id] == nil)
    }

    @Test func everyTruthIsAmongMixedBoxesAndNearCopiesAreNot() throws {
        let scene = try scene()
        var random = SceneRandom(seed: 1, stream: "test")
        let copies = scene.objects.map(\.box)
        let far = Box(x1: 0, y1: 0, x2: 2, y2: 2)
        let mixed = BoxMixing.truth(of: scene, with: copies + [far], &random)
        #expect(mixed.boxes.count == scene.objects.count + 1)
        #expect(mixed.boxesOfObject.values.allSatisfy { $0.count == 1 })
        for object in scene.objects {
            let index = try #require(mixed.boxesOfObject[object.id]?.first)
            #expect(mixed.boxes[index] == object.box)
        }
    }

    @Test func theOverlapThatDropsAProposalCanBeChosen() throws {
        let scene = try scene(), truth = scene.objects[0].box
        let shifted = Box(
            x1: truth.x1 + 0.2 * truth.width, y1: truth.y1, x2: truth.x2 + 0.2 * truth.width, y2: truth.y2)
        func count(_ limit: Double) -> Int {
            var random = SceneRandom(seed: 1, stream: "test")
            return BoxMixing.truth(of: scene, with: [shifted], overlapLimit: limit, &random).boxes.count
        }
        // IoU 0.67
        #expect(count(0.9) == scene.objects.count + 1 && count(0.5) == scene.objects.count)
    }

    @Test func imitatedProposalsStayInThePicture() throws {
        let scene = try scene()
        var random = SceneRandom(seed: 2, stream: "test")
        for box in BoxMixing.imitated(for: scene, &random) {
            #expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= Double(scene.image.width))
            #expect(box.y2 <= Double(scene.image.height) && box.width >= 2 && box.height >= 2)
        }
    }
}
