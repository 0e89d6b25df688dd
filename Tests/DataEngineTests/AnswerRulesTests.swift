import DataEngine
import Testing

@Suite("Judging answers") struct AnswerRulesTests {
    private static let dog = "A brown dog lies on the grass."

    @Test(
        "What models put around an answer is taken away",
        arguments: [
            dog, "  \(dog)\n", "Sure! \(dog)", "Sure! Here is a one-sentence description for this image:\n\n\(dog)",
            "Certainly, here's a description of the image: \(dog)", "Of course! Here’s the caption: \"\(dog)\"",
            "\"\(dog)\"", "“\(dog)”", "**\(dog)**", "**Description:** \(dog)", "Caption: \(dog)", "- \(dog)",
            "1. \(dog)",
            "```\n\(dog)\n```", "<think>The user wants…\nA cat? No.</think>\n\n\(dog)", "I should look.</think>\(dog)",
            "\(dog) It looks into the camera.", "\(dog)<|im_end|>",
            "<ground>A brown dog</ground><objects><obj1></objects> lies on the grass.",
            "A brown dog\nlies   on the grass.",
        ])
    func unwraps(answer: String) {
        #expect(AnswerRules().judge(ChatReply(text: answer)) == .success(Self.dog))
    }

    @Test(
        "Sentences end where they end",
        arguments: [
            ("A man at 5 St. James Street. He waits.", 1, "A man at 5 St. James Street."),
            ("A dog weighs 3.5 kg. It sits.", 1, "A dog weighs 3.5 kg."),
            ("A dog. It sits. It waits.", 2, "A dog. It sits."),
            (
                "A dog with the words \"Sit!\" on its collar. It sits.", 1,
                "A dog with the words \"Sit!\" on its collar."
            ),
            ("A dog without a full stop", 1, "A dog without a full stop"),
        ])
    func sentences(answer: String, limit: Int, kept: String) {
        #expect(AnswerRules(sentences: limit, words: 60).judge(ChatReply(text: answer)) == .success(kept))
    }

    @Test(
        "What is wrong with an answer has a name",
        arguments: [
            ("", AnswerFault.empty), ("   \n", .empty), ("...", .empty), ("<think>What is it? I wonder", .empty),
            ("\"\"", .empty),
            ("Description:", .empty), ("I'm sorry, I can't assist with that.", .refused),
            ("I’m sorry, but I cannot", .refused),
            ("As an AI language model, I cannot see images.", .refused),
            ("Please provide an image so I can describe it.", .refused),
            ("Unfortunately, I am unable to view the image.", .refused),
            ("Ein brauner Hund liegt auf dem Gras und schaut in die Kamera.", .otherLanguage),
            ("Un chien brun est couché sur l'herbe et regarde la caméra.", .otherLanguage),
            ("Un perro marrón está tumbado en la hierba con una pelota.", .otherLanguage),
            ("Um cachorro marrom está deitado na grama com uma bola.", .otherLanguage),
            ("一只棕色的狗躺在草地上。", .otherLanguage), ("Коричневая собака лежит на траве.", .otherLanguage),
            ("brown dog grass camera ball sky lawn fence", .otherLanguage),
            ("A dog and a dog and a dog and a dog and a dog on the grass", .repetitive),
            ("The dog dog dog dog dog dog runs.", .repetitive),
            ("A dog " + String(repeating: "with the brown fur that is on the dog ", count: 9), .repetitive),
            ("A dog" + (0..<70).map { " and a thing called n\($0)" }.joined(), .tooLong),
        ] as [(String, AnswerFault)])
    func faults(answer: String, fault: AnswerFault) {
        #expect(AnswerRules().judge(ChatReply(text: answer)) == .failure(fault))
    }

    @Test("An answer that is cut off counts as far as it has whole sentences")
    func cutOff() {
        let rules = AnswerRules(sentences: 2, words: 60)
        func judge(_ text: String) -> Result<String, AnswerFault> {
            rules.judge(ChatReply(text: text, finishReason: "length"))
        }
        #expect(judge("A dog lies on the grass. It looks at") == .success("A dog lies on the grass."))
        #expect(judge("A dog lies on the") == .failure(.cutOff))
        #expect(judge("<think>Let me see") == .failure(.cutOff))
        #expect(rules.judge(ChatReply(text: Self.dog, finishReason: "content_filter")) == .failure(.refused))
    }

    @Test("Other languages can be asked for")
    func languages() {
        var rules = AnswerRules()
        rules.language = "de"
        #expect((try? rules.judge(ChatReply(text: "Ein Hund liegt auf dem Gras.")).get()) != nil)
        #expect(rules.judge(ChatReply(text: Self.dog)) == .failure(.otherLanguage))
        rules.language = "any"
        #expect((try? rules.judge(ChatReply(text: "一只棕色的狗。")).get()) != nil)
        rules.language = "tlh"
        #expect(throws: EngineError.self) { try rules.validate() }
    }

    @Test(
        "Good captions of all sorts pass",
        arguments: [
            "A man riding a wave on top of a surfboard.", "Two dogs.",
            "Three people are standing next to a red bus on a street.",
            "A close-up of a plate with slices of pizza, a fork, and a glass of wine on a wooden table.",
            "A café in São Paulo with people sitting at tables.", "Dog, cat, horse and cow in a field",
            "The clock reads 10:15 and the sign says \"STOP\".",
            "A very, very long train with many, many cars on a track.",
            "I love NY poster on a wall next to a window.",
        ])
    func good(text: String) {
        #expect((try? AnswerRules().judge(ChatReply(text: text)).get()) == text)
    }
}
