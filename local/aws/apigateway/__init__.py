"""API Gateway (REST) of the local AWS: OpenAPI import, and how a request is answered."""
