import ChatRex
import Testing

@Suite struct TaskTests {
    static let wordings: [(VisionTask, String)] = [
        (
            .detect(["person; red dog"]),
            "Please detect person; red dog in this image. Answer the question with object indexes."
        ),
        (
            .groundedCaption(.brief),
            """
            Please briefly describe this image and detect all the mentioned objects. Answer with grounded \
            object indexes.
            """
        ),
        (
            .groundedCaption(.detailed),
            """
            Please provide a detailed description of the image and detect all the mentioned objects. Answer \
            the question with grounded object indexes.
            """
        ),
        (
            .describeRegions([2], level: .category),
            "What is the category name of <obj2>? Answer the question with its category name in free format."
        ),
        (
            .describeRegions([0, 1], level: .phrase),
            """
            Can you provide me with a short phrase description of <obj0>; <obj1>? Answer the question with \
            short phrases.
            """
        ),
        (
            .describeRegions([3], level: .brief),
            "Can you provide me with a brief description of <obj3>? Answer the question with brief description."
        ),
        (
            .describeRegions([3, 3], level: .sentence),
            """
            Can you provide a one sentence description of <obj3> in the image? Answer the question with one \
            sentence description.
            """
        ),
        (
            .count(["dog"]),
            """
            How many dog are there in this image? Answer the question with the number of objects and locate \
            them with object indexes.
            """
        ),
        (
            .groundedQuestion("Who is left of <obj1>?"),
            "Answer the question in grounded format. Question: Who is left of <obj1>?"
        ),
        (.question(" What is this?\nA. [OBJ]\nB. cat "), "What is this?\nA. [OBJ]\nB. cat"),
        (.caption, "Describe this image in one sentence."),
    ]

    @Test(arguments: wordings)
    func `a task asks in the wording of the paper`(task: VisionTask, question: String) throws {
        #expect(try task.prompts(boxCount: 4).map(\.question) == [question])
    }

    @Test(arguments: VisionTask.Kind.allCases)
    func `every wording has its gap and no two are the same`(kind: VisionTask.Kind) {
        let wordings = PromptTemplates.all(for: kind).map(\.text)
        let needsGap = ![.briefGroundedCaption, .detailedGroundedCaption, .caption].contains(kind)
        #expect(
            wordings.allSatisfy {
                $0.split(separator: "[OBJ]", omittingEmptySubsequences: false).count == (needsGap ? 2 : 1)
            })
        #expect(Set(wordings).count == wordings.count)
        #expect(wordings.count == (kind == .question ? 1 : 7))
        #expect(PromptTemplates.canonical(for: kind).text == wordings[0])
    }

    @Test func `several things are counted one at a time`() throws {
        let prompts = try VisionTask.count(["dog; cat", "zebra"]).prompts(boxCount: 1)
        #expect(prompts.map(\.task) == [.count(["dog"]), .count(["cat"]), .count(["zebra"])])
    }

    @Test func `other wordings are chosen by number, counted round`() throws {
        let task = VisionTask.detect(["dog"])
        let questions = try [1, 8, -6].map { try task.prompts(boxCount: 1, template: $0)[0].question }
        #expect(questions.allSatisfy { $0 == "Where is dog? Reply with the indexes of the matching objects." })
        #expect(try task.prompts(boxCount: 1, template: .min).count == 1)
    }

    @Test(arguments: [
        (["person;dog"], ["person", "dog"]),
        (["  red   dog \n", "cat"], ["red dog", "cat"]),
        (["Dog; dog; DOG; cat; dog"], ["Dog", "cat"]),
        (["man, left; ;; woman"], ["man, left", "woman"]),
        (["a\u{0}b\u{7}c"], ["a b c"]),
        (["chien\u{A0}noir"], ["chien noir"]),
        (["cafe\u{301}; caf\u{E9}"], ["cafe\u{301}"]),
        (["<b>bold</b> 1 < 2 > 0"], ["<b>bold</b> 1 < 2 > 0"]),
        (["ground; <ground", "objects>"], ["ground", "<ground", "objects>"]),
        (["\u{1F469}\u{200D}\u{1F680}; \u{732B}"], ["\u{1F469}\u{200D}\u{1F680}", "\u{732B}"]),
        (["\u{301}; x"], ["\u{301}", "x"]),
    ])
    func `phrases are split, trimmed and made unique`(texts: [String], phrases: [String]) throws {
        let task = try VisionTask.detect(texts).prompts(boxCount: 1)[0].task
        #expect(task == .detect(phrases))
    }

    @Test(arguments: [
        (VisionTask.detect([]), TaskError.noPhrase),
        (.detect([" ; ;\n"]), .noPhrase),
        (.count([""]), .noPhrase),
        (.detect(["a <objfeat> b"]), .reservedText("<objfeat>")),
        (.detect(["<image>"]), .reservedText("<image>")),
        (.detect(["dog</ground><objects><obj1>"]), .reservedText("</ground>")),
        (.detect(["<<ground>>"]), .reservedText("<ground>")),
        (.detect(["x<|im_end|>"]), .reservedText("<|im_end|>")),
        (.detect(["x <|fim_prefix|>"]), .reservedText("<|fim_prefix|>")),
        (.detect(["the dog next to <obj3>"]), .objectInPhrase("<obj3>")),
        (.question(" \n\t "), .emptyQuestion),
        (.groundedQuestion("\u{0}"), .emptyQuestion),
        (.question("What is <objects>?"), .reservedText("<objects>")),
        (.question("What is <|vision_start|>?"), .reservedText("<|vision_start|>")),
        (.question("What is <obj4>?"), .unknownObject("<obj4>", boxCount: 4)),
        (.question("What is <obj99999999999999999999>?"), .unknownObject("<obj99999999999999999999>", boxCount: 4)),
        (.question("What is <obj03>?"), .malformedObject("<obj03>")),
        (.describeRegions([], level: .brief), .noRegion),
        (.describeRegions([0, 4], level: .brief), .unknownObject("<obj4>", boxCount: 4)),
        (.describeRegions([-1], level: .brief), .unknownObject("<obj-1>", boxCount: 4)),
    ])
    func `unusable input is refused`(task: VisionTask, error: TaskError) {
        #expect(throws: error) { try task.prompts(boxCount: 4) }
    }

    @Test func `an unknown box is answered with those that exist`() {
        #expect("\(TaskError.unknownObject("<obj7>", boxCount: 5))".contains("<obj0> to <obj4>"))
        #expect("\(TaskError.unknownObject("<obj7>", boxCount: 0))".contains("no boxes"))
    }

    @Test func `lengths are limited`() throws {
        let long = String(repeating: "x", count: 5000)
        #expect(throws: TaskError.phraseTooLong(beginning: String(long.prefix(30)), length: 5000, limit: 200)) {
            try VisionTask.detect(["cat; " + long]).prompts(boxCount: 1)
        }
        #expect(throws: TaskError.questionTooLong(length: 5000, limit: 4000)) {
            try VisionTask.question(long).prompts(boxCount: 1)
        }
        #expect(try VisionTask.detect([String(long.prefix(200))]).prompts(boxCount: 1).count == 1)
    }

    @Test func `a long list becomes several prompts and too long a list is refused`() throws {
        let names = (0..<45).map { "thing \($0)" }
        let prompts = try VisionTask.detect(names).prompts(boxCount: 1)
        #expect(
            prompts.map(\.task) == [
                .detect(Array(names[..<20])), .detect(Array(names[20..<40])), .detect(Array(names[40...])),
            ])
        #expect(
            prompts[2].question
                == "Please detect thing 40; thing 41; thing 42; thing 43; thing 44 in this image. Answer the "
                + "question with object indexes."
        )
        #expect(try VisionTask.detect((0..<1000).map(String.init)).prompts(boxCount: 1).count == 50)
        #expect(throws: TaskError.tooManyPhrases(count: 1001, limit: 1000)) {
            try VisionTask.detect((0...1000).map(String.init)).prompts(boxCount: 1)
        }
    }
}
