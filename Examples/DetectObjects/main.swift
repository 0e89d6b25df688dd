// The library in a dozen lines: what is where in a picture?
//
//     swift run -c release detect-objects street.jpg "car; person" found.jpg

import Boxes
import ChatRex
import Foundation
import Imaging

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    print("usage: detect-objects <picture> \"cat; red car\" <annotated picture>")
    exit(64)
}

do {
    let image = try Image(contentsOf: arguments[1])
    let rex = try await ChatRexSession()
    let answer = try await rex.detect([arguments[2]], in: image)
    for (phrase, object) in answer.detections {
        let box = object.box
        print(phrase, box.x1, box.y1, box.x2, box.y2, "score", object.score)
    }
    try answer.drawn(on: image).write(to: arguments[3])
} catch {
    print("detect-objects: \(error)")
    exit(1)
}
