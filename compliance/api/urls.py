"""REST routes of compliance, mounted at /api/v1/compliance/."""

from rest_framework.routers import SimpleRouter

from compliance.esg.api.views import CarbonReportViewSet

router = SimpleRouter(trailing_slash=False)
router.register("carbon-reports", CarbonReportViewSet, basename="carbon-report")
urlpatterns = router.urls
