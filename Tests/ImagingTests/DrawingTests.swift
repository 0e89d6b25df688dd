import Imaging
import Testing

@Suite struct DrawingTests {
    static let gray = Color(red: 128, green: 128, blue: 128)

    static func canvas(width: Int = 400, height: Int = 300) throws -> Image {
        try Image(width: width, height: height, filledWith: gray)
    }

    static func isGray(_ pixel: [UInt8]) -> Bool { pixel == [128, 128, 128] }

    static func rgb(_ color: Color) -> [UInt8] { [color.red, color.green, color.blue] }

    /// The pixels of exactly this colour.
    static func points(of color: Color, in image: Image) -> [(x: Int, y: Int)] {
        (0..<image.height).flatMap { y in (0..<image.width).map { x in (x, y) } }
            .filter { image.pixel($0.0, $0.1) == rgb(color) }
    }

    @Test func `a box has four lines where it was asked for`() throws {
        let box = Annotation(x1: 100, y1: 80, x2: 220, y2: 200, colorKey: "dog")
        let image = try Self.canvas().draw([box], style: DrawingStyle(lineWidth: 2))
        for (x, y) in [(100, 140), (219, 140), (160, 80), (160, 199)] {
            #expect(image.pixel(x, y) == Self.rgb(box.color), "(\(x), \(y))")
        }
        #expect(Self.isGray(image.pixel(160, 140)))
        #expect(Self.isGray(image.pixel(50, 50)))
    }

    @Test func `a box of the whole picture keeps its four lines`() throws {
        let box = Annotation(x1: 0, y1: 0, x2: 400, y2: 300, colorKey: "cat")
        let image = try Self.canvas().draw([box])
        for (x, y) in [(0, 150), (399, 150), (200, 0), (200, 299)] {
            #expect(image.pixel(x, y) == Self.rgb(box.color))
        }
    }

    @Test(arguments: [
        (Double.nan, 0.0, 10.0, 10.0), (0, 0, .infinity, 10), (-50, -50, -10, -10), (500, 10, 600, 20),
        (10, 300, 20, 400),
    ])
    func `boxes outside or without numbers are left out`(x1: Double, y1: Double, x2: Double, y2: Double) throws {
        let blank = try Self.canvas()
        #expect(blank.draw([Annotation(x1: x1, y1: y1, x2: x2, y2: y2, label: "x")]) == blank)
    }

    @Test func `corners in the wrong order, far outside or equal still draw`() throws {
        let blank = try Self.canvas()
        let swapped = Annotation(x1: 220, y1: 200, x2: 100, y2: 80, colorKey: "dog")
        let sorted = Annotation(x1: 100, y1: 80, x2: 220, y2: 200, colorKey: "dog")
        #expect(blank.draw([swapped]) == blank.draw([sorted]))
        #expect(blank.draw([Annotation(x1: 50, y1: 50, x2: 50, y2: 50, label: "point")]) != blank)
        #expect(blank.draw([Annotation(x1: -1e300, y1: -1e300, x2: 1e300, y2: 1e300, label: "all")]) != blank)
    }

    @Test func `a label stands above its box in readable letters`() throws {
        let box = Annotation(x1: 100, y1: 80, x2: 220, y2: 200, label: "dog")
        let bare = Annotation(x1: 100, y1: 80, x2: 220, y2: 200, colorKey: "dog")
        let blank = try Self.canvas()
        let (with, without) = (blank.draw([box]), blank.draw([bare]))
        let changed = (0..<300).filter { y in (0..<400).contains { with.pixel($0, y) != without.pixel($0, y) } }
        let (first, last) = (try #require(changed.first), try #require(changed.last))
        #expect(first > 55 && last < 80 && last - first > 8)
        #expect(Self.points(of: box.color.readableTextColor, in: with).count > 10)
    }

    @Test func `labels do not overlap where there is room`() throws {
        // Four equal boxes: the labels' fields must be as large in all as four fields drawn alone.
        let labels = ["dog", "cat", "bird", "horse"]
        func fieldPixels(_ names: [String]) throws -> Int {
            let boxes = names.map { Annotation(x1: 150, y1: 120, x2: 250, y2: 180, label: $0) }
            let bare = boxes.map { box in
                var box = box
                box.colorKey = box.label
                box.label = ""
                return box
            }
            let blank = try Self.canvas()
            return zip(blank.draw(boxes).pixels, blank.draw(bare).pixels).count { $0 != $1 }
        }
        let alone = try labels.map { try fieldPixels([$0]) }.reduce(0, +)
        // The fields cover a little of the outlines, differently in each place.
        #expect(abs(try fieldPixels(labels) - alone) < alone / 10)
    }

    @Test(arguments: [
        "<b>bold</b>", "a & b", "</span>", "&#0;", "", "   ", "\u{0}\n\t\u{7F}", "e\u{301}\u{202E}abc", "狗 🐶 собака",
        String(repeating: "very long ", count: 1000), String(repeating: "\u{301}", count: 300), "\u{FFFE}\u{FFFF}",
    ])
    func `any text can be a label`(label: String) throws {
        let blank = try Self.canvas(width: 200, height: 120)
        let image = blank.draw([Annotation(x1: 40, y1: 50, x2: 150, y2: 100, label: label)])
        #expect(image != blank)
        #expect((image.width, image.height) == (200, 120))
    }

    @Test func `markup is shown, not obeyed`() throws {
        let blank = try Self.canvas()
        func drawn(_ label: String) -> Image {
            blank.draw([Annotation(x1: 40, y1: 100, x2: 380, y2: 200, label: label, colorKey: "k")])
        }
        #expect(drawn("<i>x</i>") != drawn("x"))
        #expect(drawn("&amp;") != drawn("&"))
    }

    @Test(arguments: [(1, 1), (3, 200), (200, 3), (12, 12)])
    func `tiny pictures can be drawn on`(width: Int, height: Int) throws {
        let image = try Self.canvas(width: width, height: height)
            .draw([Annotation(x1: 0, y1: 0, x2: 1000, y2: 1000, label: "something large")])
        #expect((image.width, image.height) == (width, height))
    }

    @Test(arguments: [DrawingStyle(lineWidth: -4, fontSize: -1), DrawingStyle(lineWidth: .max, fontSize: .max)])
    func `odd sizes in a style are brought into range`(style: DrawingStyle) throws {
        let box = Annotation(x1: 100, y1: 80, x2: 220, y2: 200, label: "dog")
        #expect(try Self.canvas().draw([box], style: style) != Self.canvas())
    }

    @Test func `a phrase has one colour for ever`() {
        // Written down: a change would alter every published picture.
        #expect(Color(forKey: "person") == Color(forKey: "person"))
        #expect(Set(["person", "dog", "cat", "car", "bowl"].map(Color.init(forKey:))).count >= 3)
        #expect(Self.rgb(Color(forKey: "person")) == [0xF0, 0xA0, 0xA0])
        #expect(Annotation(x1: 0, y1: 0, x2: 1, y2: 1, label: "dog 0.5", colorKey: "dog").color == Color(forKey: "dog"))
    }

    @Test func `text is black on bright colours and white on dark ones`() {
        #expect(Color(red: 255, green: 200, blue: 0).readableTextColor == .black)
        #expect(Color(red: 30, green: 70, blue: 160).readableTextColor == .white)
    }

    @Test func `drawing makes transparent pixels opaque`() throws {
        let clear = try Image(
            width: 60, height: 60, channels: .rgba, filledWith: Color(red: 0, green: 0, blue: 0, alpha: 0))
        let image = clear.draw([Annotation(x1: 10, y1: 10, x2: 50, y2: 50)])
        #expect(image.pixel(10, 30)[3] == 255)
        #expect(image.pixel(30, 30)[3] == 0)
    }
}
