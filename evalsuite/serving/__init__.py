"""Answer HTTP requests with open models, many requests in one batch.

Of `lingopress serve`; needs the extra `serve`. Nothing here imports torch, so that a bundle for
ONNX Runtime or OpenVINO is served without it.

Files:
    api_key.py: answers only requests that have the key of the server
    app.py: the application: its routes, its limits, what it does at the start and at the end
    batch_queue.py: rows of many requests, run together by one thread
    body_limit.py: reads the body of a request, which may be neither too large nor too slow
    connection_limits.py: closes connections that send their headers too slowly, or too many of
        them, and refuses those that are too many
    json_answer.py: answers as JSON
    limits.py: what one server accepts
    metrics.py: counts and times in the form of Prometheus
    openai_embeddings.py: vectors in the form of OpenAI's interface
    openapi.py: the description of the interface, with examples
    refusals.py: requests that are not answered, with the reason
    request_bodies.py: what requests hold
    response_bodies.py: what answers hold, for the description of the interface
    routes.py: the requests that are answered
    served_model.py: an open model that answers rows of one kind
    server.py: listen on an address until the process is asked to end
"""
