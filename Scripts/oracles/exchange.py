"""Reads our exports with the packages they are made for, writes with those packages, and reads that back with ours.

    Scripts/oracles.sh supervision label-studio-sdk fiftyone pyarrow
    .deps/oracles/bin/python Scripts/oracles/exchange.py .build/release/chatrex runs/engine runs/exchange

The second argument is an output of the engine, or a folder with annotations.jsonl; the third a folder for what is written. FiftyOne is
looked at without its database: the importer of its JSON form makes samples in memory.
"""

import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile

program, source, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
failures = 0


def check(name, holds, detail=""):
    global failures
    print(("ok    " if holds else "FAIL  ") + name, "" if holds else detail)
    failures += not holds


def samples(folder):
    """Annotations by key."""
    found = {}
    if (folder / "annotations.jsonl").exists():
        for line in open(folder / "annotations.jsonl", encoding="utf-8"):
            annotation = json.loads(line)
            found[annotation["key"]] = annotation
    for path in sorted((folder / "shards").glob("*.tar")) if (folder / "shards").exists() else []:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".json"):
                    annotation = json.load(archive.extractfile(member))
                    found[annotation["key"]] = annotation
    return found


def picture_of(key):
    """The bytes of a picture of the source."""
    name = f"{key}.{truth[key]['format']}"
    if (source / "pictures" / name).exists():
        return (source / "pictures" / name).read_bytes()
    for path in sorted((source / "shards").glob("*.tar")):
        with tarfile.open(path) as archive:
            if name in archive.getnames():
                return archive.extractfile(name).read()


def chatrex(*arguments):
    result = subprocess.run([program, "engine", *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def export(form):
    chatrex("export", source, "--as", form, "--out", work / form)
    return work / form


def back(form, place, *options):
    out = work / f"{form}-back"
    chatrex("import", place, "--format", form, "--out", out, "--strict", *options)
    return samples(out)


def boxes(annotation, named=True):
    """(category, box) of the regions with a category."""
    return sorted((r["category"], tuple(r["bbox"])) for r in annotation["regions"] if r.get("category") or not named)


def alike(one, other, tolerance):
    """The same names with nearly the same boxes."""
    if len(one) != len(other):
        return False
    rest = list(other)
    for name, box in one:
        match = next((o for o in rest if o[0] == name and all(abs(a - b) <= tolerance for a, b in zip(box, o[1]))), None)
        if match is None:
            return False
        rest.remove(match)
    return True


truth = samples(source)
print(f"{len(truth)} samples")


def coco():
    from pycocotools.coco import COCO

    folder = export("coco")
    read = COCO(folder / "annotations.json")
    captions = COCO(folder / "captions.json")
    names = {c["id"]: c["name"] for c in read.loadCats(read.getCatIds())}
    wrong = 0
    for image in read.loadImgs(read.getImgIds()):
        annotation = truth[pathlib.Path(image["file_name"]).stem]
        found = [(names[a["category_id"]], (a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]))
                 for a in read.loadAnns(read.getAnnIds(imgIds=image["id"]))]
        texts = [a["caption"] for a in captions.loadAnns(captions.getAnnIds(imgIds=image["id"]))]
        expected = [annotation["caption"]["text"]] if annotation.get("caption") else []
        wrong += not alike(boxes(annotation), found, 1e-6) or texts != expected
    check("pycocotools reads boxes and captions", wrong == 0, f"{wrong} wrong")


def supervision():
    import supervision as sv

    for form in ["coco", "yolo"]:
        folder = work / form if form == "coco" else export(form)
        if form == "coco":
            read = sv.DetectionDataset.from_coco(str(folder / "images"), str(folder / "annotations.json"))
        else:
            read = sv.DetectionDataset.from_yolo(str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"))
        wrong = 0
        for path, _, detections in read:
            found = [(read.classes[c], tuple(b)) for c, b in zip(detections.class_id, detections.xyxy)]
            # YOLO's labels have six digits of the sides, supervision's boxes are of 32 bits.
            wrong += not alike(boxes(truth[pathlib.Path(path).stem]), found, 0.01)
        check(f"supervision reads {form}", wrong == 0 and len(read) == len(truth), f"{wrong} wrong of {len(read)}")
        other = work / f"supervision-{form}"
        if form == "coco":
            read.as_coco(images_directory_path=str(other / "images"), annotations_path=str(other / "annotations.json"))
        else:
            read.as_yolo(images_directory_path=str(other / "images"), annotations_directory_path=str(other / "labels"),
                         data_yaml_path=str(other / "data.yaml"))
        again = back(form, other)
        wrong = sum(not alike(boxes(truth[key]), boxes(a), 0.02) for key, a in again.items())
        check(f"we read what supervision writes as {form}", wrong == 0 and len(again) == len(truth), f"{wrong} wrong of {len(again)}")


def label_studio():
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    folder = export("label-studio")
    tasks = json.load(open(folder / "tasks.json", encoding="utf-8"))
    config = (folder / "labeling.xml").read_text(encoding="utf-8")
    interface = LabelInterface(config)
    invalid = [t for t in tasks if not interface.validate_prediction(t["predictions"][0])]
    check("Label Studio's interface takes the predictions", not invalid, invalid[:1])
    # As Label Studio exports what people have accepted.
    for number, task in enumerate(tasks):
        task["id"] = number + 1
        task["annotations"] = [dict(id=number + 1, completed_by=1, result=task.pop("predictions")[0]["result"])]
    (work / "exported.json").write_text(json.dumps(tasks), encoding="utf-8")
    Converter(config, project_dir=None, download_resources=False).convert_to_coco(
        str(work / "exported.json"), str(work / "label-studio-coco"), is_dir=False)
    read = json.load(open(work / "label-studio-coco" / "result.json", encoding="utf-8"))
    names = {c["id"]: c["name"] for c in read["categories"]}
    stems = {i["id"]: pathlib.Path(i["file_name"].split("?d=")[-1]).stem for i in read["images"]}
    found = {key: [] for key in truth}
    for a in read["annotations"]:
        x, y, w, h = a["bbox"]
        found[stems[a["image_id"]]].append((names[a["category_id"]], (x, y, x + w, y + h)))
    wrong = [key for key in truth if not alike(boxes(truth[key]), found[key], 1e-3)]
    check("Label Studio's converter gives the same boxes", not wrong, wrong[:3])
    again = back("label-studio", work / "exported.json", "--pictures", folder / "images")
    fields = ["category", "phrase", "description", "referring_expression"]
    def texts(a): return sorted(tuple(r.get(f) or "" for f in fields) for r in a["regions"])
    wrong = [key for key in truth if not alike(boxes(truth[key]), boxes(again[key]), 1e-6) or texts(truth[key]) != texts(again[key])]
    check("we read what Label Studio exports", not wrong, wrong[:3])


def fiftyone():
    import fiftyone as fo
    from fiftyone.utils.data.importers import LegacyFiftyOneDatasetImporter

    folder = export("fiftyone")
    read = {}
    importer = LegacyFiftyOneDatasetImporter(str(folder))
    with importer:
        for sample in importer:
            read[pathlib.Path(sample.filepath).stem] = sample
    wrong = []
    for key, annotation in truth.items():
        sample, (w, h) = read[key], (annotation["width"], annotation["height"])
        found = []
        for d in sample["regions"].detections:
            x, y, dw, dh = d.bounding_box
            if d.label:
                found.append((d.label, (x * w, y * h, (x + dw) * w, (y + dh) * h)))
        phrases = [getattr(d, "phrase", None) for d in sample["regions"].detections]
        expected = [r.get("phrase") for r in annotation["regions"]]
        is_right = alike(boxes(annotation), found, 1e-6) and phrases == expected
        wrong += [] if is_right and sample.metadata.width == w else [key]
    check("FiftyOne reads samples, labels, texts and metadata", not wrong, wrong[:3])
    # As FiftyOne writes it.
    out = work / "fiftyone-written"
    shutil.copytree(folder / "data", out / "data")
    written = []
    for key, annotation in truth.items():
        w, h = annotation["width"], annotation["height"]
        detections = [fo.Detection(label=name, bounding_box=[b[0] / w, b[1] / h, (b[2] - b[0]) / w, (b[3] - b[1]) / h], confidence=0.5)
                      for name, b in boxes(annotation)]
        sample = fo.Sample(filepath=f"data/{key}.{annotation['format']}", ground_truth=fo.Detections(detections=detections))
        fields = json.loads(sample.to_json())
        fields["filepath"] = f"data/{key}.{annotation['format']}"
        written.append(fields)
    (out / "samples.json").write_text(json.dumps({"samples": written}), encoding="utf-8")
    again = back("fiftyone", out)
    wrong = [key for key in truth if not alike(boxes(truth[key]), boxes(again[key]), 1e-6)]
    check("we read what FiftyOne writes", not wrong, wrong[:3])


def coco_form():
    """The set in COCO's form, with the regions' keys by annotation id."""
    names = sorted({r["category"] for a in truth.values() for r in a["regions"] if r.get("category")})
    data = dict(info={}, licenses=[], images=[], annotations=[], categories=[dict(id=i + 1, name=n) for i, n in enumerate(names)])
    for number, (key, annotation) in enumerate(sorted(truth.items()), 1):
        data["images"].append(dict(id=number, file_name=f"{key}.{annotation['format']}", width=annotation["width"], height=annotation["height"]))
        for region in annotation["regions"]:
            if region.get("category"):
                x1, y1, x2, y2 = region["bbox"]
                data["annotations"].append(dict(
                    id=len(data["annotations"]) + 1, image_id=number, category_id=names.index(region["category"]) + 1,
                    bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1), iscrowd=0, segmentation=[]))
    return data


def lvis():
    from lvis import LVIS

    folder = work / "lvis"
    (folder / "train2017").mkdir(parents=True)
    data = coco_form()
    for category in data["categories"]:
        category.update(name=category["name"].replace(" ", "_"), frequency="f", synset="", synonyms=[], image_count=1, instance_count=1)
    for image in data["images"]:
        name = image.pop("file_name")
        image.update(coco_url="http://images.cocodataset.org/train2017/" + name, neg_category_ids=[data["categories"][-1]["id"]], not_exhaustive_category_ids=[])
        (folder / "train2017" / name).write_bytes(picture_of(pathlib.Path(name).stem))
    (folder / "lvis_v1_train.json").write_text(json.dumps(data), encoding="utf-8")
    read = LVIS(str(folder / "lvis_v1_train.json"))
    again = back("lvis", folder / "lvis_v1_train.json", "--pictures", folder)
    names = {i: c["name"].replace("_", " ") for i, c in read.cats.items()}
    wrong = []
    for image in read.dataset["images"]:
        key = image["coco_url"].split("/")[-1].split(".")[0]
        found = [(names[a["category_id"]], (a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]))
                 for a in read.load_anns(read.get_ann_ids(img_ids=[image["id"]]))]
        is_right = alike(found, boxes(again[key]), 1e-6) and again[key]["absent"] == [names[i] for i in image["neg_category_ids"]]
        wrong += [] if is_right else [key]
    check("we read a file of LVIS as lvis does", not wrong and len(again) == len(truth), wrong[:3])


def open_images():
    import csv

    folder = work / "openimages"
    (folder / "images").mkdir(parents=True)
    names = sorted({name for a in truth.values() for name, _ in boxes(a)})
    with open(folder / "class-descriptions-boxable.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((f"/m/{number:04}", name) for number, name in enumerate(names))
    with open(folder / "train-annotations-bbox.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow("ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside".split(","))
        for key, a in truth.items():
            (folder / "images" / f"{key}.jpg").write_bytes(picture_of(key))
            for name, (x1, y1, x2, y2) in boxes(a):
                w, h = a["width"], a["height"]
                rows.writerow([key, "xclick", f"/m/{names.index(name):04}", 1, x1 / w, x2 / w, y1 / h, y2 / h, 0, 0, 0, 0, 0])
    again = back("openimages", folder)
    kept = [key for key, a in truth.items() if boxes(a)]
    wrong = [key for key in kept if not alike(boxes(truth[key]), boxes(again[key]), 1e-6)]
    check("we read tables as Open Images has them", not wrong and len(again) == len(kept), wrong[:3])


def refcoco():
    import pickle

    folder = work / "refcoco"
    (folder / "images").mkdir(parents=True)
    data = coco_form()
    (folder / "instances.json").write_text(json.dumps(data), encoding="utf-8")
    keys = {i["id"]: pathlib.Path(i["file_name"]).stem for i in data["images"]}
    for image in data["images"]:
        (folder / "images" / image["file_name"]).write_bytes(picture_of(keys[image["id"]]))
    references, expected = [], {}
    for number, a in enumerate(data["annotations"]):
        if number % 2:
            continue
        texts = [f"the {number}th thing", f"caf\u00e9 \u20ac {number}"]
        expected.setdefault(keys[a["image_id"]], []).extend(texts)
        sentences = [dict(tokens=t.split(), raw=t.upper(), sent=t, sent_id=number) for t in texts]
        references.append(dict(sent_ids=[number], file_name="x_0.jpg", ann_id=a["id"], ref_id=number, image_id=a["image_id"], split="train",
                               sentences=sentences, category_id=a["category_id"]))
    found = []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with open(folder / "refs(unc).p", "wb") as file:
            pickle.dump(references, file, protocol=protocol)
        shutil.rmtree(work / "refcoco-back", ignore_errors=True)
        found.append(back("refcoco", folder))
    wrong = [key for key in expected if sorted(expected[key]) != sorted(r["referring_expression"] for r in found[0][key]["regions"] if r.get("referring_expression"))]
    wrong += [key for key in found[0] if not alike(boxes(truth[key]), boxes(found[0][key]), 1e-6)]
    check("we read references as Python pickles them", not wrong and set(found[0]) == set(expected), wrong[:3])
    check("every protocol of pickle gives the same", all(f == found[0] for f in found))


def visual_genome():
    folder = work / "visual-genome"
    (folder / "VG_100K").mkdir(parents=True)
    pictures, objects, regions = [], [], []
    for number, (key, a) in enumerate(sorted(truth.items()), 1):
        pictures.append(dict(image_id=number, url=f"https://example.org/VG_100K/{key}.{a['format']}", width=a["width"], height=a["height"]))
        (folder / "VG_100K" / f"{key}.{a['format']}").write_bytes(picture_of(key))
        objects.append(dict(image_id=number, objects=[
            dict(object_id=i, names=[n], synsets=[], x=b[0], y=b[1], w=b[2] - b[0], h=b[3] - b[1]) for i, (n, b) in enumerate(boxes(a))]))
        regions.append(dict(id=number, regions=[
            dict(region_id=i, image_id=number, phrase=n + " here", x=b[0], y=b[1], width=b[2] - b[0], height=b[3] - b[1])
            for i, (n, b) in enumerate(boxes(a))]))
    for name, data in [("image_data", pictures), ("objects", objects[::-1]), ("region_descriptions", regions)]:
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    again = back("visual-genome", folder)
    wrong = [key for key, a in truth.items() if not alike(boxes(a), boxes(again[key]), 1e-6)
             or sorted(r["description"] for r in again[key]["regions"] if "description" in r) != sorted(n + " here" for n, _ in boxes(a))]
    check("we read objects and regions of Visual Genome", not wrong and len(again) == len(truth), wrong[:3])


def parquet():
    import pyarrow.parquet

    rows = {row["key"]: row for row in pyarrow.parquet.read_table(export("parquet") / "annotations.parquet").to_pylist()}
    wrong = [key for key, a in truth.items() if [r["bbox"] for r in rows[key]["regions"] or []] != [[float(v) for v in r["bbox"]] for r in a["regions"]]
             or [r.get("category") for r in rows[key]["regions"] or []] != [r.get("category") for r in a["regions"]]
             or (rows[key].get("caption") or {}).get("text") != (a.get("caption") or {}).get("text")]
    check("pyarrow reads the table of annotations", not wrong and len(rows) == len(truth), wrong[:3])


def llava():
    folder = export("llava")
    records = json.load(open(folder / "data.json", encoding="utf-8"))
    wrong = [r["id"] for r in records
             if [t["from"] for t in r["conversations"]] != ["human", "gpt"] * (len(r["conversations"]) // 2)
             or (r["conversations"] and not r["conversations"][0]["value"].startswith("<image>\n"))
             or sum(t["value"].count("<image>") for t in r["conversations"]) != bool(r["conversations"])
             or not (folder / r["image"]).exists()]
    check("LLaVA's records take turns and show their picture once", not wrong, wrong[:3])


def rexverse():
    import base64

    from PIL import Image

    # As the loaders of this family of files do it: by the lists of lines' beginnings.
    folder = export("rexverse")
    starts = [int(line) for line in open(folder / "one_sentence.annotations.tsv.lineidx")]
    wrong = 0
    with open(folder / "one_sentence.annotations.tsv", "rb") as lines, open(folder / "image.tsv", "rb") as images:
        for start in starts:
            lines.seek(start)
            place, text = lines.readline().strip().split(b"\t")
            images.seek(int(place))
            name, data = images.readline().strip().split(b"\t")
            annotation = truth[pathlib.Path(name.decode()).stem]
            picture = Image.open(io.BytesIO(base64.b64decode(data)))
            found = sorted((b["bbox"][0], b["bbox"][1], b["bbox"][0] + b["bbox"][2], b["bbox"][1] + b["bbox"][3]) for b in json.loads(text)["boxes"])
            expected = sorted(tuple(r["bbox"]) for r in annotation["regions"])
            close = all(abs(a - b) < 1e-6 for f, e in zip(found, expected) for a, b in zip(f, e))
            wrong += picture.size != (annotation["width"], annotation["height"]) or len(found) != len(expected) or not close
    check("lists of lines lead to annotations and pictures", wrong == 0 and len(starts) == len(truth), f"{wrong} wrong")


for part in [coco, supervision, label_studio, fiftyone, llava, rexverse, lvis, open_images, refcoco, visual_genome, parquet]:
    try:
        part()
    except ImportError as error:
        check(part.__name__, False, f"not installed: {error}")
sys.exit(failures > 0)
