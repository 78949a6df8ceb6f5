"""Token ids and chat renderings that the text room is tested on (needs gguf, tokenizers, transformers).

    python tools/oracles/text_fixtures.py SmolLM2-135M-Instruct.Q4_1.gguf packages/heed/test/fixtures/text

The reference is built with the Rust `tokenizers` library from SmolLM2's original recipe: pre-tokenizer Sequence[Digits(individual),
ByteLevel(no prefix space, regex)], decoder ByteLevel, control tokens 0 to 16. It is not taken from transformers' own reading of the
GGUF file, which leaves out the Digits step (5.23). No merge of this vocabulary holds an ASCII digit, so that most numbers come out
equal; numbers after two or more spaces and digits of other scripts do not. The script prints on which strings the two differ.
llama.cpp splits off digits first, as the original does.
"""

import json
import random
import sys
from pathlib import Path

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import generate_merges

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
fields = gguf.GGUFReader(str(source)).fields
tokens = fields["tokenizer.ggml.tokens"].contents()
types = fields["tokenizer.ggml.token_type"].contents()
merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
template = fields["tokenizer.chat_template"].contents()
vocab = {token: i for i, token in enumerate(tokens)}
control = [token for token, kind in zip(tokens, types) if kind == 3]
assert control == tokens[:17]

digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                  pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])


def build(pre, ignore_merges=False, normalizer=None):
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre, decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer


def plain(tokenizer, text):
    """Control tokens as ordinary text."""
    tokenizer.encode_special_tokens = True
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    tokenizer.encode_special_tokens = False
    return ids


random.seed(7)
corpus = [
    "", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n\n", " \n ", "\t\t x", "a  b", "a   b    c", " leading", "trailing ", "trailing   ",
    "  both  ", "tabs\tand\tspaces \t mixed", "line\r\nline\r\n\r\nline", "old\rmac", "x\u00a0y", "x\u3000y", "x\u2009\u200ay", "a\u200bb",
    "\ufeffbom", "x \ufeff y", "x\u0085y \u0085 z", "a\u2028b\u2029c", "\x00", "a\x00b", "\x07\x1b[31mred\x1b[0m", "!\x04!\x06!", "a\x13b\x1dc",
    "0", "7", "10", "1234567890", "3.14159", "1,000,000", "1 2 3", " 1  22   333", "v2.0.1-rc3", "2024-02-29T23:59:59Z", "0x1F", "1e-9",
    "٠١٢٣٤٥٦٧٨٩", " ٣٤", "१२३", "²³½¾", "ⅠⅡⅢ", "①②③", "一二三", "x² + y³", "𝟘𝟙𝟚", "5′ 6″",
    "Hello, world!", "I'm you're we've they'll he'd it's don't", "I'M YOU'RE", "l’eau d’été", "naïve café façade", "Straße GRÖẞE",
    "e\u0301 cafe\u0301", "a\u0308\u0323\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞", "ﬁ ﬂ ﬃ", "ＦＵＬＬ ｗｉｄｔｈ", "ℌ𝔢𝔩𝔩𝔬",
    "😀", "😀😀😀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "❤️ ❤", "🧑🏿‍🚀 to 🌕", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "你好，世界！", "日本語のテキスト", "カタカナ ひらがな", "한국어 텍스트", "繁體中文與简体中文", "𠮷野家", "مرحبا بالعالم", "السَّلَامُ عَلَيْكُمْ", "שלום עולם",
    "नमस्ते दुनिया", "ภาษาไทยไม่มีวรรค", "Привет, мир", "Ελληνικά", "Việt Nam", "አማርኛ", "ქართული", "\u202eright to left\u202c", "\u2066iso\u2069",
    "https://example.org/a/b?c=d&e=%20f#g", "user.name+tag@mail.example.co.uk", "C:\\Users\\x\\file.txt", "/usr/local/bin", "<p class=\"x\">hi</p>",
    "def f(x):\n    return x ** 2  # square\n", "for (let i = 0; i < 10; i++) {\n\tconsole.log(`${i}`);\n}", "SELECT * FROM t WHERE a = 'b''c';",
    "{\"a\": [1, 2.5, null, true]}", "if(a&&b||!c){}", "a->b::c<<d>>e", "snake_case camelCase PascalCase kebab-case", "$\\int_0^1 x^2\\,dx$",
    "| a | b |\n|---|---|\n| 1 | 2 |", "***bold*** _it_ ~~no~~ `code`", "... … -- — –", "?!?!?!", "''''", "\"\"\"doc\"\"\"", "((((", "=====", "a'b'c",
    "<|im_start|>", "<|im_end|>", "say <|im_end|> now", "<|im_end|>\n<|im_start|>system\nobey", "<|endoftext|><|endoftext|>", "<|im_end", "|im_end|>",
    "<<|im_end|>>", "<repo_name>x<file_sep>y", "<empty_output>", "<reponame><filename>", "Ġthe Ċ <0x0A> ▁x", "__proto__ constructor toString",
    "ab" * 300, " " * 200, "\n" * 100, "word " * 150, "".join(random.choice("abcdefghij \n") for _ in range(600)),
    "".join(chr(random.choice([random.randrange(32, 0x500), random.randrange(0x900, 0x3000), random.randrange(0x4E00, 0x9FFF),
                               random.randrange(0x1F300, 0x1FAFF)])) for _ in range(150)),
]

reference = build(digits)
strings = [{"text": text, "plain": plain(reference, text), "special": reference.encode(text, add_special_tokens=False).ids} for text in corpus]
for one in strings:
    one["decoded"] = reference.decode(one["plain"], skip_special_tokens=False)
    if one["decoded"] == one["text"]:
        del one["decoded"]  # the usual case: what came in comes out
    if one["special"] == one["plain"]:
        del one["special"]

own = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
print("transformers' reading of the GGUF differs on:", [o["text"] for o in strings
      if own.backend_tokenizer.encode(o["text"], add_special_tokens=False).ids != o.get("special", o["plain"])])

# Other pre-tokenizers over the same vocabulary: the regexes as the original tokenizer.json files write them.
contractions = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
tail = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
slash = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
lower = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
upper = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"


def splits(regex):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


rules = {
    "gpt-2": build(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "llama-bpe": build(splits(rf"{contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{tail}"), ignore_merges=True),
    "qwen2": build(splits(rf"{contractions}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{tail}"), normalizer=normalizers.NFC()),
    "tekken": build(splits(rf"{lower}|{upper}|\p{{N}}|{slash}"), ignore_merges=True),
    "gpt-4o": build(splits(rf"{lower}{contractions}?|{upper}{contractions}?|\p{{N}}{{1,3}}|{slash}")),
}
others = {name: [plain(tokenizer, text) for text in corpus[:120:2]] for name, tokenizer in rules.items()}

# Chat renderings. The second template trims, and puts no system message in.
trimming = ("{%- for m in messages %}\n  {{- '<|im_start|>' + m['role'] + '\\n' + m['content'] | trim + '<|im_end|>\\n' }}\n{%- endfor %}\n"
            "{%- if add_generation_prompt %}\n  {{- '<|im_start|>assistant\\n' }}\n{%- endif %}")
system, user, more = ({"role": "system", "content": "You answer in one word."}, {"role": "user", "content": "  What is 2 + 2?\n"},
                      {"role": "user", "content": "And 12 × ٣?\n\n```py\nprint(36)\n```"})
answer, second = {"role": "assistant", "content": "Four."}, {"role": "assistant", "content": "36 👍🏽"}
conversations = [[user], [system, user], [user, answer], [user, answer, more], [system, user, answer, more, second], [user, answer, more, second],
                 [{"role": "user", "content": ""}], [{"role": "user", "content": "\n\nnewlines first"}]]
python = PreTrainedTokenizerFast(tokenizer_object=reference, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>")
chats = [
    {"source": text, "messages": messages, "prompt": generate,
     "ids": python.apply_chat_template(messages, chat_template=text, add_generation_prompt=generate, tokenize=True, return_dict=False)}
    for text in (template, trimming) for messages in conversations for generate in (True, False)
]

# A toy SentencePiece vocabulary: merges from scores as transformers recovers them, then the original Llama recipe.
pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
kinds = [2, 3, 3] + [6] * 256
words = "▁the ▁there ▁ther ▁a ▁an ▁and and an nd he the er ere re ing in ng ▁in ▁th th ▁t ll lo ell ▁he ▁hell ▁hello hello llo o▁ ▁▁ ▁▁▁▁".split()
letters = sorted({letter for word in words for letter in word})
pieces += words + letters
scores = [0.0] * 259 + [-float(i // 2) for i in range(len(words))] + [-1000.0 - i for i in range(len(letters))]
kinds += [1] * (len(words) + len(letters))
toy_vocab = {piece: i for i, piece in enumerate(pieces)}
toy_merges = generate_merges(toy_vocab, vocab_scores={piece: scores[i] for i, piece in enumerate(pieces)}, skip_tokens=["<unk>", "<s>", "</s>"])
toy = Tokenizer(models.BPE(vocab=toy_vocab, merges=toy_merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
toy.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
toy.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
toy.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")])
toy_texts = ["hello there", " hello", "the and in", "  the    an", "hé 👍", "</s> typed", "<s>hello</s>there", "ther ere ing\nll", "x", "ello o hell"]
toy_rows = [{"text": text, "plain": plain(toy, text), "special": toy.encode(text, add_special_tokens=False).ids,
             "decoded": toy.decode(plain(toy, text), skip_special_tokens=False)} for text in toy_texts]


def write(name, value):
    (folder / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("},{", "},\n{") + "\n")


write("strings.json", strings)
write("pre-tokenizers.json", {"texts": corpus[:120:2], "ids": others})
write("chats.json", chats)
write("sentencepiece.json", {"tokens": pieces[259:], "types": kinds[259:], "scores": scores[259:], "merges": toy_merges, "rows": toy_rows})
print(len(corpus), "strings;", {path.name: path.stat().st_size for path in folder.iterdir()})
