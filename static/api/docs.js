// Draws the OpenAPI document with Swagger UI. A file of its own, because the CSP forbids inline code.

const holder = document.getElementById("api-docs");

function csrfToken() {
  const found = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
  return found ? decodeURIComponent(found[1]) : "";
}

window.SwaggerUIBundle({
  domNode: holder,
  url: holder.dataset.schema,
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  docExpansion: "list",
  // The validator badge would be fetched from another host.
  validatorUrl: null,
  persistAuthorization: false,
  requestInterceptor(request) {
    const sameOrigin = new URL(request.url, window.location.href).origin === window.location.origin;
    if (sameOrigin && !["GET", "HEAD"].includes((request.method || "GET").toUpperCase())) {
      request.headers["X-CSRFToken"] = csrfToken();
    }
    return request;
  },
});
