"""Parquet tables by pyarrow. Follows `worker.py`. A request is an object with a `command`, see the functions below."""

NAMES = {  # names of columns in lower case, those that are taken first come first
    "id": ["id", "sample_id", "sampleid", "image_id", "uid", "key"],
    "url": ["url", "image_url", "img_url", "image_link", "link"],
    "text": ["text", "caption", "alt_text", "top_caption"],
    "width": ["original_width", "width", "image_width"],
    "height": ["original_height", "height", "image_height"],
}
SCORES = {  # the highest of those that are there counts
    "unsafe": ["punsafe", "nsfw_score_opennsfw2", "nsfw_score_gantman", "nsfw_score", "unsafe_score", "nsfw"],
    "watermark": ["pwatermark", "watermark_score"],
}
PICTURES = ["image", "jpg", "jpeg", "png", "webp", "img", "bytes", "image_bytes"]
TAGS = {"nsfw": 1.0, "unsure": 0.5, "unlikely": 0.0, "true": 1.0, "false": 0.0}


def load(settings):
    global pyarrow, parquet
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except Exception as problem:
        raise Unusable(f"{sys.executable} has no usable pyarrow ({type(problem).__name__}: {problem})")
    reader = Reader()
    commands = {"open": reader.open, "rows": reader.rows, "write": write}

    def work(requests):
        for request in requests:
            arguments = {name: value for name, value in request.items() if name != "command"}
            yield commands[request["command"]](**arguments)

    return work


class Reader:
    """Keeps the last file open, at the place where the last rows were read."""

    def __init__(self):
        self.path = self.file = self.batches = None
        self.place = (-1, -1)  # row group and the number of its rows that were read

    def open(self, path):
        """What a table holds: its columns, those that stand for something, and its row groups' sizes."""
        self.path, self.batches = None, None
        self.file = parquet.ParquetFile(path)
        self.path = path
        schema = self.file.schema_arrow
        lower = {}
        for name in schema.names:
            lower.setdefault(name.lower(), name)

        def there(names):
            return [lower[name] for name in names if name in lower]

        self.columns = {role: next(iter(there(names)), None) for role, names in NAMES.items()}
        self.scores = {role: there(names) for role, names in SCORES.items()}
        picture = next((name for name in there(PICTURES) if holds_bytes(schema.field(name).type)), None)
        metadata = self.file.metadata
        return {
            "columns": schema.names, "url": self.columns["url"], "picture": picture,
            "groups": [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)],
        }

    def rows(self, path, group, offset, limit):
        """Rows of a row group as [id, url, text, width, height, unsafe score, watermark score]."""
        if self.path != path:
            self.open(path)
        if self.batches is None or self.place != (group, offset):
            self.seek(group, offset, limit)
        self.place = (-1, -1)
        try:
            batch = next(self.batches, None)
        except Exception:
            self.path = self.batches = None
            raise
        if batch is None:
            self.batches = None
            return []
        values = {name: batch.column(name).to_pylist() for name in batch.schema.names}
        self.place = (group, offset + batch.num_rows)
        return [self.row(values, index) for index in range(batch.num_rows)]

    def seek(self, group, offset, limit):
        names = {name for name in self.columns.values() if name}.union(*self.scores.values())
        self.batches = self.file.iter_batches(
            batch_size=limit, row_groups=[group], columns=sorted(names), use_threads=False)
        passed = 0
        while passed < offset:  # only after a restart
            batch = next(self.batches)
            passed += batch.num_rows
            alive()
            if passed > offset:
                raise ValueError(f"row {offset} of row group {group} begins no batch")

    def row(self, values, index):
        def value(role):
            name = self.columns[role]
            return None if name is None else values[name][index]

        def highest(role):
            scores = [score(values[name][index]) for name in self.scores[role]]
            return max((score for score in scores if score is not None), default=None)

        return [
            name_of(value("id")), text_of(value("url")), text_of(value("text")),
            side(value("width")), side(value("height")), highest("unsafe"), highest("watermark"),
        ]


def holds_bytes(kind):
    if pyarrow.types.is_struct(kind):
        return any(holds_bytes(kind.field(index).type) for index in range(kind.num_fields))
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def text_of(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip() or None if isinstance(value, str) else None


def name_of(value):
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else None
    return str(value) if isinstance(value, int) else text_of(value)


def side(value):
    try:
        return int(value) if 1 <= value <= 1_000_000_000 else None
    except TypeError:
        return None


def score(value):
    if isinstance(value, str):
        return TAGS.get(value.strip().lower())
    try:
        return min(1.0, max(0.0, float(value))) if value == value else None
    except (TypeError, ValueError):
        return None


def write(source, destination, lines):
    """Makes a table of a file of JSON objects, one a line, and returns the number of its rows.

    The first pass finds the columns of all lines, the second writes: memory does not grow with the file.
    """
    schema = pyarrow.schema([])
    for first, chunk in chunks(source, lines):
        schema = joined(schema, table(chunk, source, first, None).schema, source)
        alive()
    schema = pyarrow.schema([pyarrow.field(field.name, written(field.type)) for field in schema])
    unfinished = destination + ".partial"
    rows = 0
    try:
        with open(unfinished, "wb") as file:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                for first, chunk in chunks(source, lines):
                    writer.write_table(table(chunk, source, first, schema))
                    rows += len(chunk)
                    alive()
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, destination)
    except BaseException:
        if os.path.exists(unfinished):
            os.remove(unfinished)
        raise
    return rows


def chunks(source, lines):
    chunk, first = [], 1
    with open(source, "rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    value = json.loads(line)
                except ValueError as problem:
                    raise ValueError(f"{source}, line {number}: {problem}")
                if not isinstance(value, dict):
                    raise ValueError(f"{source}, line {number}: it is no JSON object")
                chunk.append(value)
            if len(chunk) == lines:
                yield first, chunk
                chunk, first = [], number + 1
    if chunk:
        yield first, chunk


def table(chunk, source, first, schema):
    names = list(dict.fromkeys(name for line in chunk for name in line)) if schema is None else schema.names
    columns = []
    for name in names:
        try:
            kind = None if schema is None else schema.field(name).type
            columns.append(pyarrow.array([line.get(name) for line in chunk], type=kind))
        except (pyarrow.ArrowException, ArithmeticError, TypeError) as problem:
            raise ValueError(f"{source}, lines from {first}: the values of '{name}' make no column: {problem}")
    return pyarrow.table(columns, names=names) if schema is None else pyarrow.table(columns, schema=schema)


def joined(schema, other, source):
    try:
        return pyarrow.unify_schemas([schema, other], promote_options="permissive")
    except pyarrow.ArrowException as problem:
        raise ValueError(f"{source}: its lines do not fit in one table: {problem}")


def written(kind):
    """A type that every reader knows, for what Parquet lacks: columns that are null throughout, objects without fields."""
    if pyarrow.types.is_null(kind):
        return pyarrow.string()
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(written(kind.value_type))
    if pyarrow.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        fields = [(field.name, written(field.type)) for field in fields]
        return pyarrow.struct(fields or [("nothing", pyarrow.string())])
    return kind


serve(load)
