import Foundation
import Imaging
import Server
import Testing

extension ServerTests {
    /// The routes that do one task each.
    @Suite struct VisionTests {
        private static let tasks: [(path: String, fields: [String: String], result: String)] = [
            ("/v1/detect", ["phrases": "dog; cat"], "detections"),
            ("/v1/count", ["phrases": "dog; cat"], "counts"),
            ("/v1/caption", ["style": "brief"], "text"),
            ("/v1/regions", ["boxes": "[[4,4,40,40],[30,10,90,60]]", "level": "category"], "regions"),
            ("/v1/propose", ["proposal_min_score": "0", "max_detections": "5"], "proposals"),
        ]

        /// A form's body with the picture and texts.
        private static func form(_ fields: [String: String], boundary: String) -> Data {
            var body = Data()
            for (name, value) in fields {
                body += Data(
                    "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
            }
            body += Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n".utf8)
            body += Data("Content-Type: image/png\r\n\r\n".utf8) + Sample.png + Data("\r\n--\(boundary)--\r\n".utf8)
            return body
        }

        private static func json(_ fields: [String: String]) throws -> [String: Any] {
            var body: [String: Any] = ["image": Sample.dataURL]
            for (name, value) in fields {
                let isText = ["phrases", "style", "level"].contains(name)
                body[name] =
                    isText
                    ? value : try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
            }
            return body
        }

        @Test("JSON and a form give the same result", arguments: tasks)
        func bothForms(path: String, fields: [String: String], result: String) async throws {
            let server = try await TestServer.shared
            let body = try Self.json(fields)
            let answer = try await server.post(path, body)
            #expect(answer.status == 200, "\(answer.text)")
            let document = try answer.json()
            let size = try #require(document["image"] as? [String: Int])
            #expect(size == ["width": Sample.width, "height": Sample.height])
            #expect(document[result] != nil, "\(answer.text)")
            let type = "multipart/form-data; boundary=frontier"
            let other = try await server.send(
                "POST", path, Self.form(fields, boundary: "frontier"), headers: ["Content-Type": type])
            #expect(other.status == 200 && other.text == answer.text, "\(other.text)")
        }

        @Test("Boxes of a client are described one by one, in their order")
        func regions() async throws {
            let answer = try await TestServer.shared.post(
                "/v1/regions", ["image": Sample.dataURL, "boxes": [[4, 4, 40, 40], [30, 10, 90, 60]]])
            let regions = try #require(try answer.json()["regions"] as? [[String: Any]])
            #expect(regions.map { $0["box"] as? [Double] } == [[4, 4, 40, 40], [30, 10, 90, 60]])
            #expect(regions.map { $0["index"] as? Int } == [0, 1])
        }

        @Test("Every phrase is found, or said not to be, and counted")
        func phrases() async throws {
            let answer = try await TestServer.shared.post(
                "/v1/count", ["image": Sample.dataURL, "phrases": ["dog", "red car"]])
            let document = try answer.json()
            let counts = try #require(document["counts"] as? [[String: Any]])
            #expect(Set(counts.compactMap { $0["label"] as? String }).isSuperset(of: ["dog", "red car"]))
            let found = try #require(document["detections"] as? [[String: Any]])
            #expect(counts.compactMap { $0["count"] as? Int }.reduce(0, +) == found.count)
        }

        @Test("A format field chooses how results are written")
        func formats() async throws {
            let server = try await TestServer.shared
            let body: [String: Any] = ["image": Sample.dataURL, "proposal_min_score": 0, "max_detections": 3]
            func result(_ format: String) async throws -> TestServer.Answer {
                try await server.post("/v1/propose", body.merging(["format": format]) { $1 })
            }
            let coco = try await result("coco").json()
            let annotations = try #require(coco["annotations"] as? [[String: Any]])
            #expect(annotations.count == 3)
            let boxes = annotations.compactMap { $0["bbox"] as? [Double] }
            #expect(boxes.allSatisfy { $0.count == 4 } && boxes.count == 3)
            let lines = try await result("yolo").text.split(separator: "\n")
            #expect(lines.allSatisfy { $0.split(separator: " ").count == 6 } && !lines.isEmpty)
            let studio = try await result("label-studio")
            let tasks = try #require(try JSONSerialization.jsonObject(with: studio.body) as? [[String: Any]])
            #expect(tasks.count == 1 && tasks[0]["predictions"] != nil)
        }

        @Test("An Accept header brings the picture with its boxes", arguments: ["image/png", "image/jpeg"])
        func pictures(type: String) async throws {
            let body: [String: Any] = ["image": Sample.dataURL, "proposal_min_score": 0, "max_detections": 3]
            let answer = try await TestServer.shared.post("/v1/propose", body, headers: ["Accept": type])
            #expect(answer.headers["content-type"] == type)
            let drawn = try Image(decoding: Array(answer.body))
            #expect(drawn.width == Sample.width && drawn.height == Sample.height)
            #expect(try drawn != Image(decoding: Array(Sample.png)))
        }
    }

    /// The interface of Label Studio.
    @Suite struct LabelStudioTests {
        private static let configuration = """
            <View><Image name="photo" value="$picture"/><RectangleLabels name="kind" toName="photo">
            <Label value="dog" background="red"/><Label value="cat &amp; mouse"/></RectangleLabels></View>
            """

        @Test("Predictions come one a task, under the configuration's names")
        func predictions() async throws {
            let answer = try await TestServer.shared.post(
                "/predict",
                [
                    "tasks": [
                        ["id": 7, "data": ["picture": Sample.dataURL]], ["id": 8, "data": ["picture": Sample.dataURL]],
                    ],
                    "label_config": Self.configuration, "project": "1.2",
                ])
            let results = try #require(try answer.json()["results"] as? [[String: Any]], "\(answer.text)")
            #expect(results.count == 2 && results.allSatisfy { $0["model_version"] as? String == "nano" })
            for region in results.flatMap({ $0["result"] as? [[String: Any]] ?? [] }) {
                #expect(region["from_name"] as? String == "kind" && region["to_name"] as? String == "photo")
            }
        }

        @Test("Setup names the model, and health says that the server is up")
        func setup() async throws {
            let server = try await TestServer.shared
            let answer = try await server.post("/setup", ["project": "1.2", "schema": Self.configuration])
            #expect(try answer.json()["model_version"] as? String == "nano")
            #expect(try await server.get("/health").json()["status"] as? String == "UP")
        }

        @Test("A picture behind an address, and a configuration without boxes, are refused")
        func refusals() async throws {
            let server = try await TestServer.shared
            let remote = try await server.post(
                "/predict",
                ["tasks": [["data": ["picture": "http://10.0.0.1/a.jpg"]]], "label_config": Self.configuration])
            #expect(remote.status == 400 && remote.code == "remote_image_not_allowed")
            let boxless = try await server.post("/predict", ["tasks": [], "label_config": "<View></View>"])
            #expect(boxless.status == 400 && boxless.code == "invalid_value")
        }
    }
}
