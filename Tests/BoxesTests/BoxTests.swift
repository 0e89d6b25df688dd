import Boxes
import Foundation
import Testing

@Suite struct BoxTests {
    let a = Box(x1: 0, y1: 0, x2: 4, y2: 2)
    let b = Box(x1: 2, y1: 1, x2: 6, y2: 3)

    @Test func `measures follow from the corners`() {
        #expect(a.width == 4 && a.height == 2 && a.area == 8)
        #expect(b.center.x == 4 && b.center.y == 2)
        #expect(Box(x1: 3, y1: 0, x2: 1, y2: 5).area == 0)
    }

    @Test(arguments: [
        (Box(x1: 1, y1: 1, x2: 1, y2: 1), true, true),
        (Box(x1: 2, y1: 1, x2: 1, y2: 3), true, false),
        (Box(x1: 1, y1: 3, x2: 2, y2: 1), true, false),
        (Box(x1: .nan, y1: 0, x2: 1, y2: 1), false, false),
        (Box(x1: 0, y1: 0, x2: .infinity, y2: 1), false, false),
    ])
    func `validity means finite and not inverted`(box: Box, finite: Bool, valid: Bool) {
        #expect(box.isFinite == finite)
        #expect(box.isValid == valid)
    }

    @Test func `clipping keeps a box inside the image and NaN visible`() {
        let clipped = Box(x1: -3, y1: 5, x2: 20, y2: 30).clipped(toWidth: 10, height: 8)
        #expect(clipped == Box(x1: 0, y1: 5, x2: 10, y2: 8))
        #expect(
            Box(x1: 12, y1: -9, x2: 15, y2: -1).clipped(toWidth: 10, height: 8) == Box(x1: 10, y1: 0, x2: 10, y2: 0))
        #expect(Box(x1: .nan, y1: 0, x2: 1, y2: 1).clipped(toWidth: 10, height: 8).x1.isNaN)
    }

    @Test func `scaling and moving act on both corners`() {
        #expect(b.scaled(x: 2, y: 10) == Box(x1: 4, y1: 10, x2: 12, y2: 30))
        #expect(b.translated(x: -2, y: 1) == Box(x1: 0, y1: 2, x2: 4, y2: 4))
    }

    @Test func `IoU is overlap over union`() {
        #expect(a.intersection(with: b) == Box(x1: 2, y1: 1, x2: 4, y2: 2))
        #expect(a.iou(with: b) == 2.0 / 14.0)
        #expect(a.iou(with: a) == 1)
        #expect(a.enclosing(b) == Box(x1: 0, y1: 0, x2: 6, y2: 3))
    }

    @Test func `boxes that only touch, are empty or hold NaN do not overlap`() {
        let touching = Box(x1: 4, y1: 0, x2: 5, y2: 2)
        let empty = Box(x1: 1, y1: 1, x2: 1, y2: 1)
        let broken = Box(x1: .nan, y1: 0, x2: 4, y2: 2)
        for other in [touching, empty, broken] {
            #expect(a.iou(with: other) == 0)
            #expect(a.intersection(with: other) == nil)
        }
        #expect(empty.iou(with: empty) == 0)
    }

    @Test func `generalized IoU also tells how far apart disjoint boxes are`() {
        #expect(abs(a.generalizedIoU(with: b) - (2.0 / 14.0 - 4.0 / 18.0)) < 1e-15)
        let near = a.generalizedIoU(with: a.translated(x: 5, y: 0))
        let far = a.generalizedIoU(with: a.translated(x: 50, y: 0))
        #expect(a.generalizedIoU(with: a) == 1)
        #expect(-1 < far && far < near && near < 0)
    }

    @Test(arguments: [
        (BoxFormat.xyxy, [1.0, 2, 5, 10]), (.xywh, [1, 2, 4, 8]), (.cxcywh, [3, 6, 4, 8]),
    ])
    func `each format goes both ways`(format: BoxFormat, values: [Double]) throws {
        let box = Box(x1: 1, y1: 2, x2: 5, y2: 10)
        #expect(box.values(format) == values)
        #expect(try Box(values, format: format) == box)
        #expect(try [Box](flat: values + values, format: format) == [box, box])
        #expect(try [Box](flat: values.map(Float.init), format: format) == [box])
        #expect([box, box].flatValues(format) == values + values)
    }

    @Test func `a wrong number of values is an error`() {
        #expect(throws: BoxesError.wrongValueCount(expected: 4, found: 3)) { try Box([1, 2, 3], format: .xywh) }
        #expect(throws: BoxesError.wrongValueCount(expected: 8, found: 5)) {
            try [Box](flat: [1.0, 2, 3, 4, 5], format: .xyxy)
        }
    }

    @Test func `JSON is an array of the corners`() throws {
        let data = try JSONEncoder().encode([b])
        #expect(String(decoding: data, as: UTF8.self) == "[[2,1,6,3]]")
        #expect(try JSONDecoder().decode([Box].self, from: data) == [b])
        for text in ["[1,2,3]", "[1,2,3,4,5]", "{}"] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(Box.self, from: Data(text.utf8)) }
        }
    }
}
