"""Has speech that its limit cuts off taken as it is: an answer that has begun breaks off then, as it should, and that reads like a fault of the network."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not isinstance(body, dict):
        return
    for fields in (body, body.get("input")):
        if isinstance(fields, dict) and fields.get("allow_truncated") in (None, False):
            fields["allow_truncated"] = True
