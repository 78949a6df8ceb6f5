"""The official Python client against heed serve: python openai_client.py BASE_URL MODEL ADAPTER. Prints what it saw as JSON."""

import json
import sys

import openai

url, model, adapter = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
ask = dict(model=model, messages=[{"role": "user", "content": "Why?"}], max_tokens=10, seed=3)


def refused(**more):
    try:
        client.chat.completions.create(**{**ask, **more})
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return None


whole = client.chat.completions.create(**ask, n=2, logprobs=True, top_logprobs=3)
again = client.chat.completions.create(**ask, n=2)
other = client.chat.completions.create(**{**ask, "seed": 4, "model": adapter})
pieces, logprobs, usage = ["", ""], [[], []], None
for chunk in client.chat.completions.create(**ask, n=2, logprobs=True, top_logprobs=3, stream=True, stream_options={"include_usage": True}):
    usage = chunk.usage or usage
    for choice in chunk.choices:
        pieces[choice.index] += choice.delta.content or ""
        logprobs[choice.index] += [t.logprob for t in (choice.logprobs.content if choice.logprobs else [])]
scored = client.completions.create(model=model, prompt="Once upon", max_tokens=0, echo=True, logprobs=0).choices[0]
stopped = client.completions.create(model=model, prompt=["Once", "upon"], max_tokens=30, temperature=0, stop=["e", "a"])

print(json.dumps({
    "version": openai.__version__,
    "models": [m.id for m in client.models.list()],
    "contents": [c.message.content for c in whole.choices],
    "again": [c.message.content for c in again.choices],
    "other": other.choices[0].message.content,
    "streamed": pieces,
    "logprobs": [[t.logprob for t in c.logprobs.content] for c in whole.choices],
    "top": [len(t.top_logprobs) for t in whole.choices[0].logprobs.content],
    "streamedLogprobs": logprobs,
    "usage": whole.usage.total_tokens,
    "streamedUsage": usage.total_tokens,
    "scored": {"text": scored.text, "logprobs": scored.logprobs.token_logprobs},
    "stopped": [[c.index, c.text, c.finish_reason] for c in stopped.choices],
    "errors": [refused(model="none"), refused(temperature=-1), refused(max_tokens=100000), refused(extra_body={"what": 1})],
}))
